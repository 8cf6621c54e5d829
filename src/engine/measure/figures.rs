//! The figures of a run, from its counters to the report.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::processor::{Processor, processor};
use super::rerun::rerun;
use crate::engine::ledger::Ledger;
use crate::observe::bound::Spent;
use crate::observe::decision::Decision;
use crate::observe::meters::{DeviceMeter, Mark};
use crate::observe::report::{
    CpuReport, DeviceReport, KernelReport, Latency, Measured, Report, Times, Waits,
};
use crate::observe::timeline::{DeviceFacts, Facts, Timeline};
use crate::stage::times::Record;

/// Where the time went so far; `measured` is what was chosen from what was measured.
pub(crate) fn report(ledger: &Ledger, measured: Vec<Decision>) -> Report {
    let (meters, facts) = (&ledger.meters, &ledger.facts);
    let wall = ledger.elapsed().as_secs_f64();
    let devices = device_reports(ledger, wall);
    let processor = processor(ledger);
    let busiest = facts.devices.iter().max_by_key(|device| device.busy.get());
    Report::new(Measured {
        wall,
        opening: facts.opening.as_secs_f64(),
        first_prepare: seconds(&meters.first_prepare, wall),
        last_work: seconds(&meters.last_work, wall),
        first_submit: busiest.map_or(wall, |device| seconds(&device.first_submit, wall)),
        last_collect: busiest.map_or(0.0, |device| seconds(&device.last_collect, wall)),
        first_result: meters.first_result.get().unwrap_or_default().as_secs_f64(),
        spent: spent(ledger, &devices, &processor),
        cpu: cpu_report(ledger, wall),
        cores: processor.cores,
        processor: processor.seconds,
        waits: waits(ledger, &devices),
        devices,
        tokens: ledger.tokens.bounded(),
        peak_in_flight: ledger.tokens.peak(),
        times: times(ledger),
        accounts: ledger.books.accounts(),
        left_behind: ledger.left_behind(),
        decisions: facts.chosen.iter().cloned().chain(measured).collect(),
        rerun: rerun(ledger, &processor),
        latency: latency(ledger),
    })
}

/// What was recorded so far; `None` where the run is not recorded.
pub(crate) fn timeline(ledger: &Ledger) -> Option<Timeline> {
    let recorder = ledger.recorder.as_ref()?;
    let wall = ledger.elapsed().as_secs_f64();
    let devices = device_reports(ledger, wall);
    let names = |device: &DeviceReport| DeviceFacts { name: device.name.clone(), kernels: Vec::new() };
    let mut facts = Facts {
        workers: ledger.facts.workers,
        devices: devices.iter().map(names).collect(),
        wall_s: wall,
        bound_s: spent(ledger, &devices, &processor(ledger)).bound(),
        ..Facts::default()
    };
    for (facts, device) in facts.devices.iter_mut().zip(&ledger.facts.devices) {
        facts.kernels = device.times.record().kernels.into_iter().map(|(name, _)| name).collect();
    }
    Some(Timeline::new(recorder, facts))
}

fn device_reports(ledger: &Ledger, wall: f64) -> Vec<DeviceReport> {
    ledger.facts.devices.iter().map(|device| device_report(device, wall)).collect()
}

fn spent(ledger: &Ledger, devices: &[DeviceReport], processor: &Processor) -> Spent {
    let meters = &ledger.meters;
    let costs = devices.iter().zip(&processor.device_costs);
    Spent {
        cpu: (meters.prepare.get() + meters.then.get()).as_secs_f64() * processor.cpu_cost,
        workers: ledger.facts.workers as f64,
        first_item: meters.first_item.get().as_secs_f64(),
        gpu: costs.map(|(device, cost)| device.busy_s * cost).sum(),
        devices: devices.len() as f64,
        items: devices.iter().map(|device| device.items as f64).sum(),
        source: source_seconds(ledger),
        caller: caller_seconds(ledger),
        processor: processor.seconds,
        of_devices: processor.of_devices,
        cores: processor.cores as f64,
        live: ledger.facts.live,
    }
}

fn latency(ledger: &Ledger) -> Option<Latency> {
    let meters = &ledger.meters;
    let latency = || Latency {
        whole: meters.latency.distribution(),
        without_wait: meters.latency_without_wait.distribution(),
    };
    ledger.facts.live.then(latency)
}

/// Time inside the source's `next`. Where that is a run its time is that of its own stages.
pub(super) fn source_seconds(ledger: &Ledger) -> f64 {
    if ledger.facts.from_run { 0.0 } else { ledger.meters.source.get().as_secs_f64() }
}

/// Time that the caller spent between two calls of `next`. Where it runs the device or everything, or is a run itself,
/// its time is theirs.
pub(super) fn caller_seconds(ledger: &Ledger) -> f64 {
    if !ledger.facts.only_takes || ledger.facts.to_run {
        return 0.0;
    }
    let meters = &ledger.meters;
    let waits = meters.caller_waits.get().map_or(Duration::ZERO, |since| ledger.now().since(since));
    let others = meters.caller_waited.get() + waits + meters.stopping.get();
    ledger.elapsed().saturating_sub(others).as_secs_f64()
}

fn cpu_report(ledger: &Ledger, wall: f64) -> CpuReport {
    let (meters, workers) = (&ledger.meters, ledger.facts.workers);
    let (prepare, then) = (meters.prepare.get().as_secs_f64(), meters.then.get().as_secs_f64());
    let capacity = wall * workers.max(1) as f64;
    CpuReport {
        workers,
        busy: if capacity > 0.0 { ((prepare + then) / capacity).min(1.0) } else { 0.0 },
        working: meters.worked.share(),
        prepare_s: prepare,
        then_s: then,
        prepared: meters.prepared.load(Ordering::Relaxed),
    }
}

fn times(ledger: &Ledger) -> Times {
    let meters = &ledger.meters;
    Times {
        source: meters.source_times.distribution(),
        prepare: meters.prepare_times.distribution(),
        then: meters.then_times.distribution(),
        caller: meters.caller_times.distribution(),
    }
}

fn waits(ledger: &Ledger, devices: &[DeviceReport]) -> Waits {
    let meters = &ledger.meters;
    Waits {
        device_for_batch_s: devices.iter().map(|device| device.starved_s).sum(),
        feeder_for_token_s: meters.feeder_waited.get().as_secs_f64(),
        feeder_in_source_s: meters.source.get().as_secs_f64(),
        caller_for_result_s: meters.caller_waited.get().as_secs_f64(),
    }
}

fn device_report(device: &DeviceMeter, wall: f64) -> DeviceReport {
    let busy_s = device.busy.get().as_secs_f64();
    let times = device.times.record();
    DeviceReport {
        name: device.info.name.clone(),
        kind: device.info.kind,
        busy: if wall > 0.0 { (busy_s / wall).min(1.0) } else { 0.0 },
        busy_s,
        starved_s: device.starved.get().as_secs_f64(),
        batches: device.batches.load(Ordering::Relaxed),
        items: device.items.load(Ordering::Relaxed),
        depth: device.depth,
        device_s: (times.batches > 0).then_some(times.worked.as_secs_f64()),
        kernels: kernel_reports(&times),
        most_depth: device.most_depth,
        working: device.worked.share(),
        losses: device.losses.load(Ordering::Relaxed),
        rebuilding_s: device.rebuilding.get().as_secs_f64(),
        stalls: device.stalls.stalls(),
        batch: device.batch_times.distribution(),
        submit_s: device.submitting.get().as_secs_f64(),
        collect_s: device.collecting.get().as_secs_f64(),
        bytes_up: times.moved.map(|(up, _)| up),
        bytes_down: times.moved.map(|(_, down)| down),
        memory_bytes: times.memory,
        notes: times.notes,
    }
}

fn kernel_reports(times: &Record) -> Vec<KernelReport> {
    let all: Duration = times.kernels.iter().map(|(_, time)| *time).sum();
    if times.timed == 0 || all.is_zero() {
        return Vec::new();
    }
    let report = |(name, time): &(String, Duration)| KernelReport {
        name: name.clone(),
        seconds: time.as_secs_f64() / times.timed as f64,
        share: time.as_secs_f64() / all.as_secs_f64(),
    };
    times.kernels.iter().map(report).collect()
}

fn seconds(mark: &Mark, otherwise: f64) -> f64 {
    mark.get().map_or(otherwise, |moment| moment.as_secs_f64())
}
