//! What stands in the place of `hardware.rs` without the feature `gpu`: the same names, and no device.

use super::driver::Driver;
use crate::error::Cause;
use crate::stage::DeviceInfo;

pub(super) const WITHOUT: Option<&str> = Some("gapless was built without the feature `gpu`");

pub(super) struct Adapters;

impl Adapters {
    pub(super) fn all() -> Self {
        Self
    }

    pub(super) fn infos(&self) -> Vec<DeviceInfo> {
        Vec::new()
    }

    pub(super) fn open(&self, _: usize) -> Result<Box<dyn Driver>, Cause> {
        Err(Cause::msg("there is none"))
    }
}
