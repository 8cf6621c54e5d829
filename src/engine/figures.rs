//! The figures of a run, from the engine's counters to the report.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::caller::Caller;
use super::job::Job;
use super::shared::Shared;
use super::tokens::UNLIMITED;
use crate::observe::bound::Spent;
use crate::observe::meters::{DeviceMeter, Mark};
use crate::observe::progress::Progress;
use crate::observe::report::{CpuReport, DeviceReport, KernelReport, Measured, Report, Times, Waits};
use crate::observe::timeline::{DeviceFacts, Facts, Timeline};
use crate::stage::times::Record;

impl<J: Job> Caller<J> {
    /// Where the time went so far.
    pub(crate) fn report(&self) -> Report {
        let wall = self.elapsed().as_secs_f64();
        let devices: Vec<_> = self.devices.iter().map(|device| device_report(device, wall)).collect();
        let busiest = self.devices.iter().max_by_key(|device| device.busy.get());
        let rerun = self.ran();
        let accounts = self.shared.ledger.lock().accounts();
        let measured = Measured {
            wall,
            opening: self.opening.as_secs_f64(),
            first_prepare: seconds(&self.shared.meters.first_prepare, wall),
            last_work: seconds(&self.shared.meters.last_work, wall),
            first_submit: busiest.map_or(wall, |device| seconds(&device.first_submit, wall)),
            last_collect: busiest.map_or(0.0, |device| seconds(&device.last_collect, wall)),
            first_result: self.shared.meters.first_result.get().unwrap_or_default().as_secs_f64(),
            spent: self.spent(&devices),
            cpu: self.cpu_report(wall),
            waits: self.waits(&devices),
            devices,
            tokens: Some(self.shared.tokens.total()).filter(|tokens| *tokens < UNLIMITED),
            peak_in_flight: self.shared.tokens.peak(),
            times: self.times(),
            accounts,
            left_behind: self.left_behind().to_vec(),
            decisions: self.shared.decisions(),
            rerun,
        };
        Report::new(measured)
    }

    /// What was recorded so far; `None` where the run is not recorded.
    pub(crate) fn timeline(&self) -> Option<Timeline> {
        let recorder = self.shared.recorder.as_ref()?;
        let wall = self.elapsed().as_secs_f64();
        let devices: Vec<_> = self.devices.iter().map(|device| device_report(device, wall)).collect();
        let names = |device: &DeviceReport| DeviceFacts { name: device.name.clone(), kernels: Vec::new() };
        let mut facts = Facts {
            workers: self.workers,
            devices: devices.iter().map(names).collect(),
            wall_s: wall,
            bound_s: self.spent(&devices).bound(),
            ..Facts::default()
        };
        for (facts, device) in facts.devices.iter_mut().zip(&self.devices) {
            facts.kernels = device.times.record().kernels.into_iter().map(|(name, _)| name).collect();
        }
        Some(Timeline::new(recorder, facts))
    }

    /// How far the run has come.
    pub(crate) fn progress(&self) -> Progress {
        progress(&self.shared, &self.devices, self.workers)
    }

    fn elapsed(&self) -> Duration {
        elapsed(&self.shared)
    }

    fn spent(&self, devices: &[DeviceReport]) -> Spent {
        let meters = &self.shared.meters;
        Spent {
            cpu: (meters.prepare.get() + meters.then.get()).as_secs_f64(),
            workers: self.workers as f64,
            first_item: meters.first_item.get().as_secs_f64(),
            gpu: devices.iter().map(|device| device.busy_s).sum(),
            devices: devices.len() as f64,
            items: devices.iter().map(|device| device.items as f64).sum(),
            source: meters.source.get().as_secs_f64(),
            caller: self.caller_seconds(),
        }
    }

    /// Time that the caller spent between two calls of `next`. Where it runs the device or everything, its
    /// time is theirs.
    pub(super) fn caller_seconds(&self) -> f64 {
        if !self.only_takes {
            return 0.0;
        }
        let meters = &self.shared.meters;
        let others = meters.caller_waited.get() + meters.stopping.get();
        self.elapsed().saturating_sub(others).as_secs_f64()
    }

    fn cpu_report(&self, wall: f64) -> CpuReport {
        let meters = &self.shared.meters;
        let (prepare, then) = (meters.prepare.get().as_secs_f64(), meters.then.get().as_secs_f64());
        let capacity = wall * self.workers.max(1) as f64;
        CpuReport {
            workers: self.workers,
            busy: if capacity > 0.0 { ((prepare + then) / capacity).min(1.0) } else { 0.0 },
            prepare_s: prepare,
            then_s: then,
            prepared: meters.prepared.load(Ordering::Relaxed),
        }
    }

    fn times(&self) -> Times {
        let meters = &self.shared.meters;
        Times {
            source: meters.source_times.distribution(),
            prepare: meters.prepare_times.distribution(),
            then: meters.then_times.distribution(),
            caller: meters.caller_times.distribution(),
        }
    }

    fn waits(&self, devices: &[DeviceReport]) -> Waits {
        let meters = &self.shared.meters;
        Waits {
            device_for_batch_s: devices.iter().map(|device| device.starved_s).sum(),
            feeder_for_token_s: meters.feeder_waited.get().as_secs_f64(),
            feeder_in_source_s: meters.source.get().as_secs_f64(),
            caller_for_result_s: meters.caller_waited.get().as_secs_f64(),
        }
    }
}

fn elapsed<J: Job>(shared: &Shared<J>) -> Duration {
    shared.meters.ended.get().unwrap_or_else(|| shared.seam.now())
}

/// How far a run has come.
pub(super) fn progress<J: Job>(shared: &Shared<J>, devices: &[Arc<DeviceMeter>], workers: usize) -> Progress {
    let accounts = shared.ledger.lock().accounts();
    let (meters, elapsed) = (&shared.meters, elapsed(shared));
    let share = |busy: Duration, of: usize| match elapsed.as_secs_f64() * of as f64 {
        0.0 => 0.0,
        all => (busy.as_secs_f64() / all).min(1.0),
    };
    let on_devices = devices.iter().map(|device| device.busy.get()).sum();
    let progress = Progress {
        delivered: accounts.delivered,
        failed: accounts.failed,
        in_flight: accounts.in_flight(),
        total: shared.total,
        elapsed,
        cpu_busy: share(meters.prepare.get() + meters.then.get(), workers.max(1)),
        device_busy: (!devices.is_empty()).then(|| share(on_devices, devices.len())),
        in_line: shared.in_line(),
        tokens: Some(shared.tokens.total()).filter(|tokens| *tokens < UNLIMITED),
        ..Progress::default()
    };
    progress.paced()
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
        losses: device.losses.load(Ordering::Relaxed),
        rebuilding_s: device.rebuilding.get().as_secs_f64(),
        stalls: device.stalls.stalls(),
        batch: device.batch_times.distribution(),
        submit_s: device.submitting.get().as_secs_f64(),
        collect_s: device.collecting.get().as_secs_f64(),
        bytes_up: times.moved.map(|(up, _)| up),
        bytes_down: times.moved.map(|(_, down)| down),
        memory_bytes: times.memory,
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
