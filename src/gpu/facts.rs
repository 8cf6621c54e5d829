//! What is known of a device: name, driver, limits.

use std::fmt;

use super::limits::Limits;
use super::named;
use crate::error::OneLine;
use crate::stage::{DeviceInfo, DeviceKind};

#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) info: DeviceInfo,
    /// Backend, driver and its version.
    pub(super) driver: String,
    pub(super) limits: Limits,
}

impl Facts {
    /// Of the twins; `without` says why there are no devices at all.
    pub(super) fn twins(without: Option<&str>) -> Self {
        let driver = without.map_or("none".into(), |why| format!("none: {why}"));
        Self { info: named::twins(), driver, limits: Limits::twins() }
    }
}

/// Name, kind and driver, if there is one or a reason why not.
impl fmt::Display for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { info, driver, .. } = self;
        let (name, said) = (OneLine(&info.name), OneLine(driver));
        match info.kind {
            DeviceKind::Twin if driver == "none" => write!(f, "{name} ({})", info.kind),
            _ => write!(f, "{name} ({}, {said})", info.kind),
        }
    }
}
