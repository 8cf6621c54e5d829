//! What stands in the place of `hardware.rs` without the feature `gpu`: the same names, and no device.

use std::time::Duration;

use super::bandwidth::Bandwidth;
use super::facts::Facts;
use super::graph::Graph;
use super::item::Item;
use super::plan::Plan;
use super::profile::KernelTime;
use super::tensors::Tensors;
use crate::error::Cause;
use crate::stage::{DeviceInfo, DeviceTimes, StageError};

pub(super) const WITHOUT: Option<&str> = Some("gapless was built without the feature `gpu`");

pub(super) struct Adapters;

#[derive(Debug)]
pub(super) enum Hardware {}

#[derive(Debug)]
pub(super) enum Ring {}

#[derive(Debug)]
pub(super) enum Ticket {}

impl Adapters {
    pub(super) fn all() -> Self {
        Self
    }

    pub(super) fn infos(&self) -> Vec<DeviceInfo> {
        Vec::new()
    }

    pub(super) fn open(&self, _: usize) -> Result<Hardware, Cause> {
        Err(Cause::msg("there is none"))
    }
}

impl Hardware {
    pub(super) fn facts(&self) -> &Facts {
        match *self {}
    }

    pub(super) fn buffers_made(&self) -> u64 {
        match *self {}
    }

    pub(super) fn chosen(&self, _: Plan) -> Plan {
        match *self {}
    }

    pub(super) fn ring(
        &self,
        _: &Graph,
        _: Plan,
        _: (usize, Option<Duration>),
        _: &DeviceTimes,
    ) -> Result<Ring, StageError> {
        match *self {}
    }

    pub(super) fn bandwidth(&self, _: u64) -> Result<Bandwidth, StageError> {
        match *self {}
    }
}

impl Ring {
    pub(super) fn submit<I: Item>(&mut self, _: &[I]) -> Result<Ticket, StageError> {
        match *self {}
    }

    pub(super) fn try_collect(&mut self, _: &mut Ticket, _: Duration) -> Result<Option<Tensors>, StageError> {
        match *self {}
    }

    pub(super) fn profile(&mut self, _: usize) -> Result<Vec<KernelTime>, StageError> {
        match *self {}
    }
}
