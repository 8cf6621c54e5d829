//! What of the work was processor time, and what that says of its costs.
//!
//! Threads that share a core take longer by the clock than their work costs. So where the cores were full, what
//! works all of its time counts with its processor time; what waits (for a server, a disk, a GPU) counts as it took.

use std::time::Duration;

use crate::engine::ledger::Ledger;
use crate::observe::meters::DeviceMeter;
use crate::stage::DeviceKind;

/// Share of the cores' time from which on they count as full.
const FULL: f64 = 0.9;
/// Share of the processor time that a thread could have had, from which on it counts as one that works.
const WORKS: f64 = 0.8;

/// Processor time of a run so far.
pub(super) struct Processor {
    /// Cores that the process may use.
    pub(super) cores: usize,
    /// Share of the CPU half's time that it needs a core for: all of it where it works, or where that is not known.
    pub(super) cpu: f64,
    /// What the time of the CPU half has to be multiplied with to be its cost, and that of each device.
    pub(super) cpu_cost: f64,
    pub(super) device_costs: Vec<f64>,
    /// Processor time of both halves, in seconds, and the devices' part of it.
    pub(super) seconds: f64,
    pub(super) of_devices: f64,
}

pub(super) fn processor(ledger: &Ledger) -> Processor {
    let (meters, facts) = (&ledger.meters, &ledger.facts);
    let cores = facts.cores;
    let used = used(ledger).as_secs_f64();
    let threads = facts.workers.max(1) + facts.devices.iter().filter(|device| works(ledger, device)).count();
    let full = used >= FULL * ledger.elapsed().as_secs_f64() * cores as f64;
    let crowded = full && threads > cores;
    let could = (cores as f64 / threads as f64).min(1.0);
    let cost = |share: Option<f64>| share.filter(|share| crowded && *share >= WORKS * could).unwrap_or(1.0);
    let cpu = meters.worked.share();
    let prepared = (meters.prepare.get() + meters.then.get()).as_secs_f64() * cpu.unwrap_or(1.0);
    let device_seconds = |device: &DeviceMeter| {
        device.busy.get().as_secs_f64()
            * computed(device).unwrap_or_else(|| f64::from(u8::from(works(ledger, device))))
    };
    let own: f64 = facts.devices.iter().map(|device| device_seconds(device)).sum();
    // A driver that computes on the CPU has threads of its own: what is not the workers' is theirs.
    let software = facts.devices.iter().any(|device| device.info.kind == DeviceKind::Software);
    let of_devices = if software { own.max(used - prepared) } else { own };
    // Shares are of what was looked at; what the process has used is known, where the system tells it.
    let whole = prepared + of_devices;
    let known = if used > 0.0 && whole > used { used / whole } else { 1.0 };
    Processor {
        cores,
        cpu: if cost(cpu) < 1.0 { 1.0 } else { cpu.unwrap_or(1.0) },
        cpu_cost: cost(cpu),
        device_costs: facts
            .devices
            .iter()
            .map(|device| device_cost(device, cost(device.worked.share().filter(|_| works(ledger, device)))))
            .collect(),
        seconds: whole * known,
        of_devices: of_devices * known,
    }
}

/// Share of the time in which a device had work that its thread used a core: what it does inside the stage may be
/// work, and still be little beside what the device does.
fn computed(device: &DeviceMeter) -> Option<f64> {
    let inside = (device.submitting.get() + device.collecting.get()).as_secs_f64();
    let busy = device.busy.get().as_secs_f64();
    let share = if busy > 0.0 { (inside / busy).min(1.0) } else { 1.0 };
    device.worked.share().map(|worked| worked * share)
}

/// The same, where its work inside the stage counts with less than its time.
fn device_cost(device: &DeviceMeter, inside: f64) -> f64 {
    if inside < 1.0 { computed(device).unwrap_or(inside) } else { inside }
}

/// Whether the thread of this device computes itself.
pub(super) fn works(ledger: &Ledger, device: &DeviceMeter) -> bool {
    let (cores, facts) = (ledger.facts.cores as f64, &ledger.facts);
    let could = (cores / (facts.workers + facts.devices.len()).max(1) as f64).clamp(0.5, 1.0);
    match device.info.kind {
        DeviceKind::Twin => true,
        DeviceKind::Software => false,
        _ => computed(device).is_some_and(|share| share >= 0.5 * could),
    }
}

/// Processor time that the process has used since the run started, until it ended.
fn used(ledger: &Ledger) -> Duration {
    let Some(before) = ledger.facts.process_time else { return Duration::ZERO };
    ledger.process_time().unwrap_or_default().saturating_sub(before)
}
