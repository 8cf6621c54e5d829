//! All that touches wgpu: which adapters there are, a device that is open and is made again when it is lost, and
//! programs on it.
//!
//! Without the feature `gpu` no file of this folder is built, and `no_hardware.rs` stands in its place: the same
//! names, and no device. Nothing here plans, and nothing here knows a [`Program`](super::Program).

mod adapters;
mod against_twin;
mod alone;
mod bandwidth;
mod bytes;
mod cache;
mod choices;
mod clock;
mod compile;
mod deadline;
mod device;
mod given;
mod loaded;
mod near;
mod pace;
mod rebuild;
mod ring;
mod slot;
mod trusted;

use std::sync::Arc;
use std::time::Duration;

pub(super) use self::adapters::Adapters;
use self::adapters::{describe, driver};
use self::bandwidth::measure;
use self::choices::Choices;
use self::deadline::Deadline;
use self::device::Device;
use self::loaded::Loaded;
use self::rebuild::{Origin, Rebuilt};
use self::ring::{Ring, Trial};
use super::bandwidth::Bandwidth;
use super::driver::{Driver, InFlight};
use super::facts::Facts;
use super::graph::Graph;
use super::kept::Shared;
use super::limits::Limits;
use super::plan::Plan;
use super::runner::Runner;
use crate::error::Cause;
use crate::stage::{DeviceKind, StageError};

/// Why there are no devices at all.
pub(super) const WITHOUT: Option<&str> = None;

/// What a device must be able to compile to widen halves, as `Access` of a shader does it.
const HALVES: &str = "fn half_of(pair: u32) -> f32 { return unpack2x16float(pair).x; }";

/// Most work of a submission: an operating system ends what holds a device for two seconds.
const SUBMISSION: Duration = Duration::from_millis(200);

/// A device that is open, what is known of it, and which variants of kernels it chose.
#[derive(Debug)]
pub(super) struct Hardware {
    facts: Facts,
    device: Rebuilt,
    choices: Choices,
}

impl Hardware {
    fn new(device: Device, origin: Origin) -> Box<Self> {
        let facts = facts(&device);
        let choices = Choices::of(&format!("{}, {}", facts.info.name, facts.driver));
        Box::new(Self { facts, device: Rebuilt::new(device, origin), choices })
    }

    /// How variants are tried for batches of so many items.
    fn trial(&self, max_batch: usize, most: Option<Duration>) -> Trial<'_> {
        let most = most.unwrap_or(if self.is_software() { Duration::MAX } else { SUBMISSION });
        let (choices, limits) = (&self.choices, &self.facts.limits);
        Trial { choices, limits, rows: self.tried(max_batch), most }
    }

    /// Items of a trial for batches of so many. On the processor an item takes about as long as the next one, and all
    /// of them would take long: one has to tell.
    fn tried(&self, max_batch: usize) -> usize {
        if self.is_software() { 1 } else { max_batch }
    }

    fn is_software(&self) -> bool {
        self.facts.info.kind == DeviceKind::Software
    }

    /// The device, made again if it is lost.
    fn live(&self) -> Result<Arc<Device>, Cause> {
        self.device.live(|new| self.check_same(new))
    }

    /// Whether a device can take the place of this one: everything that was planned for this one must hold.
    fn check_same(&self, new: &Device) -> Result<(), Cause> {
        let (new, old) = (facts(new), &self.facts);
        if (&new.info, &new.limits) == (&old.info, &old.limits) {
            return Ok(());
        }
        Err(Cause::msg(if new.info == old.info {
            format!("the new device has other limits: {:?}, and not {:?}", new.limits, old.limits)
        } else {
            let kind = |facts: &Facts| format!("{} ({})", facts.info.name, facts.info.kind);
            format!("the new device is {}, and not {}", kind(&new), kind(old))
        }))
    }
}

impl Driver for Hardware {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn buffers_made(&self) -> u64 {
        self.device.present().buffers_made()
    }

    fn chosen(&self, mut plan: Plan) -> Plan {
        let rows = self.tried(plan.max_batch);
        self.choices.apply(&mut plan, rows);
        plan
    }

    fn ring(
        &self,
        graph: &Graph,
        plan: Plan,
        InFlight { depth, deadline, submission }: InFlight,
        shared: &Shared,
    ) -> Result<Runner, StageError> {
        let mut shared = shared.lock();
        loop {
            let device = self.live()?;
            let on_device = |loaded: &Loaded| loaded.is_on(&device);
            let known = shared.take().and_then(|shared| shared.downcast::<Loaded>().ok());
            // What a lost device held goes before the new one needs room.
            let mut loaded = known.filter(|loaded| on_device(loaded));
            let (how, before) = (
                (Deadline::new(deadline), self.trial(plan.max_batch, submission)),
                self.choices.all_left_out(),
            );
            let ring = Ring::open(&device, graph, plan.clone(), depth, how, &mut loaded);
            *shared = loaded.map(|loaded| loaded as _);
            match ring {
                // A variant that lost the device is never run again: there are fewer each time.
                Err(StageError::Lost(_)) if self.choices.all_left_out() > before => {}
                ring => return Ok(Box::new(ring?)),
            }
        }
    }

    fn bandwidth(&self, bytes: u64) -> Result<Bandwidth, StageError> {
        measure(&*self.live()?, bytes)
    }
}

fn facts(device: &Device) -> Facts {
    let adapter = device.raw.adapter_info();
    Facts { info: describe(&adapter), driver: driver(&adapter), limits: limits(device) }
}

fn limits(device: &Device) -> Limits {
    let (limits, features, adapter) = (device.raw.limits(), device.raw.features(), device.raw.adapter_info());
    let subgroup_sizes = [adapter.subgroup_min_size, adapter.subgroup_max_size];
    Limits {
        buffer_bytes: limits.max_buffer_size,
        binding_bytes: limits.max_storage_buffer_binding_size.min(MOST_BOUND),
        workgroups: limits.max_compute_workgroups_per_dimension,
        workgroup_threads: limits.max_compute_invocations_per_workgroup,
        workgroup_bytes: limits.max_compute_workgroup_storage_size,
        tensors: limits.max_storage_buffers_per_shader_stage,
        params_alignment: limits.min_uniform_buffer_offset_alignment,
        rounds: rounds(&adapter),
        subgroups: features.contains(wgpu::Features::SUBGROUP).then_some(subgroup_sizes),
        f16: features.contains(wgpu::Features::SHADER_F16),
        halves: device.compiles(HALVES),
    }
}

/// Most bytes of a binding. Metal's shaders are told the size of one by 32 bits, so that above 4 GiB they would read
/// elsewhere without a word, and places in a shader are `i32` too.
const MOST_BOUND: u64 = (1 << 31) - 4;

/// No interface tells of this limit: it is known of the driver.
fn rounds(adapter: &wgpu::AdapterInfo) -> u32 {
    let is_llvmpipe = [&adapter.name, &adapter.driver].iter().any(|name| name.contains("llvmpipe"));
    if is_llvmpipe { 65_535 } else { u32::MAX }
}
