//! The report: where the time of a run went, and what to change.

mod assert;
mod halves;
mod text;

use super::accounts::Accounts;
use super::bound::{Bottleneck, Spent};
use super::changes::{Change, Rerun, changes};
use super::decision::Decision;
use super::histogram::Distribution;
use super::memory::peak_resident_bytes;
use super::predict;
use super::stalls::Stalls;
use crate::stage::DeviceKind;

/// Where the time of a run went, and what to change.
///
/// `wall_s = fill_s + busy_s + stalls_s + drain_s`, seen from the bottleneck. It can be asked for at
/// any time; while the run goes on it speaks of the time so far. `Display` writes it for people, and
/// with the feature `serde` it can be serialised for programs.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// Seconds from the start of the threads to the end of the run.
    pub wall_s: f64,
    /// Seconds that the stages took to open, before that: planning, allocating, trying kernels.
    pub open_s: f64,
    /// Seconds before the bottleneck had its first work. Large: the first batch is slow to come; a
    /// smaller `batch_size` or `ramp` helps.
    pub fill_s: f64,
    /// Seconds in which the bottleneck worked.
    pub busy_s: f64,
    /// Seconds in which the bottleneck had nothing to do, between its first and its last work. Near 0:
    /// gapless. Large: look at `waits`.
    pub stalls_s: f64,
    /// Seconds after the last work of the bottleneck.
    pub drain_s: f64,
    /// Seconds until the first batch of results was handed over; 0 where none was.
    pub first_result_s: f64,
    /// What the run could not be faster than.
    pub bottleneck: Bottleneck,
    /// Cores that the process may use.
    pub cores: usize,
    /// Seconds of processor time that both halves used, as far as the system tells; where a device is a software
    /// driver, with the rest of the process. Near `wall_s` times `cores`: the cores are full.
    pub processor_s: f64,
    /// The best time, in seconds, that any schedule could reach with the costs measured in this run.
    pub bound_s: f64,
    /// How far the run was from the bound, in percent of the bound. Below 5: the schedule is not what
    /// to work on.
    pub above_bound_percent: f64,
    /// The CPU half.
    pub cpu: CpuReport,
    /// The GPU half, a device each.
    pub devices: Vec<DeviceReport>,
    /// Who waited for what.
    pub waits: Waits,
    /// Items that were allowed in flight; `None` in a sequential run, which holds everything.
    pub tokens: Option<usize>,
    /// Most tokens that were taken at one time. Below `tokens`: the memory could be less.
    pub peak_in_flight: usize,
    /// How the times of single items and results are distributed.
    pub times: Times,
    /// Most bytes of memory that this process has held at one time since it started; `None` where the system
    /// does not tell (it does on Linux).
    pub peak_resident_bytes: Option<u64>,
    /// Where the documents went.
    pub accounts: Accounts,
    /// Threads that were left behind, since user code did not return within the grace period: the thread
    /// inside it, and with a worker the others of its pool.
    pub left_behind: Vec<String>,
    /// What gapless chose, and why, oldest first: see [`Auto`](crate::Auto).
    pub decisions: Vec<Decision>,
    /// Of a live source ([`Pipeline::max_wait`](crate::Pipeline::max_wait)): how long documents were on their way.
    pub latency: Option<Latency>,
    /// What a document and a batch cost in this run; `None` before the first batch has left a device. Where all
    /// batches had one size, `gpu_launch` is the time of such a batch and `gpu_item` is 0.
    pub costs: Option<predict::Costs>,
    /// What one change each would bring, by [`predict()`](crate::predict()) from `costs`. Empty while the run goes
    /// on, where it did not end by itself, and where the costs do not explain the time that it took. Nothing is
    /// promised beyond the cores that the process may use, nor beyond the depth that a stage can have. A change whose effect the run does not show is left out: of another batch size,
    /// where all batches had one.
    pub changes: Vec<Change>,
    /// What to change, in a sentence, and what it would bring.
    pub advice: String,
    /// The reports of the halves before, first to last, where there are several in a row: see
    /// [`Pipeline::then_gpu`](crate::Pipeline::then_gpu). Then the times above, the bound and the advice are those of
    /// the slowest half, and `cpu`, `devices`, `waits` and `times` those of the last.
    pub before: Vec<Report>,
}

/// How the times of single items and results are distributed in a [`Report`].
///
/// Items that are prepared as a group count as so many of its mean. The times of batches stand at each device.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Times {
    /// An item in the source's `next`.
    pub source: Distribution,
    /// An item in the CPU stage.
    pub prepare: Distribution,
    /// An item in `then`.
    pub then: Distribution,
    /// The caller between two results; where it polls, from when its task is woken. Not measured where the caller
    /// does the work.
    pub caller: Distribution,
}

/// The CPU half in a [`Report`].
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CpuReport {
    /// Workers; 0 where the caller did their work.
    pub workers: usize,
    /// Share of the run in which a worker had work, from 0 to 1, averaged over the workers. Near 1:
    /// more workers, or a faster CPU stage, would help.
    pub busy: f64,
    /// Share of the work's time that was processor time, from 0 to 1, looked at for some of it; `None` where the
    /// system does not tell. Near 1: it computes, and no more workers than cores help. Well below: it waits, for a
    /// disk, a server, or for a core.
    pub working: Option<f64>,
    /// Seconds of preparation, summed over the workers.
    pub prepare_s: f64,
    /// Seconds of `then`, summed over the workers.
    pub then_s: f64,
    /// Items prepared.
    pub prepared: u64,
}

/// One device in a [`Report`].
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DeviceReport {
    /// The adapter's name, `cpu` for the twins, `closure` for a stage of the user's own.
    pub name: String,
    /// What kind of device it is. On `software` and `twin` the halves share the CPU.
    pub kind: DeviceKind,
    /// Share of the run in which the device had work, from 0 to 1. Near 1: gapless, a faster device
    /// would help. Well below 1: look at `starved_s`; if it is large, the CPU half is the bottleneck.
    pub busy: f64,
    /// Seconds in which at least one batch was submitted and not yet collected.
    pub busy_s: f64,
    /// Seconds without any batch, between the first and the last.
    pub starved_s: f64,
    /// Batches that the device ran.
    pub batches: u64,
    /// Items that the device ran.
    pub items: u64,
    /// Batches that may be in flight on the device.
    pub depth: usize,
    /// Most batches that its stage could be told to have in flight.
    pub most_depth: usize,
    /// Share of the device thread's time in the stage that was processor time, as in [`CpuReport::working`]. Near
    /// 1: the stage computes on the CPU.
    pub working: Option<f64>,
    /// Seconds that the device worked by its own clock; `None` where it has none. Well below `busy_s`: the
    /// host side of the device (submitting, waiting, copying results out) is what takes the time.
    pub device_s: Option<f64>,
    /// Where the device's time goes, in the order in which the kernels run; empty where it has no clock. Every
    /// kernel is timed in the first two batches and in every sixteenth after them.
    pub kernels: Vec<KernelReport>,
    /// Times that the device was lost. 0: as it should be. Otherwise the results are as right as without a
    /// loss, and took longer: look at the driver's log, and whether a document or a kernel hangs the device.
    pub losses: u64,
    /// Seconds in which a lost device was made again; neither busy nor starved.
    pub rebuilding_s: f64,
    /// What the device waited for in `starved_s`, and how often.
    pub stalls: Stalls,
    /// Seconds of a batch on the device: from its submission, or the end of the batch before it, to its result.
    pub batch: Distribution,
    /// Seconds that the device thread was inside `submit`: the host's part of a batch, with copies up. Near
    /// `busy_s`: the host limits the device; larger batches help.
    pub submit_s: f64,
    /// Seconds that the device thread was inside `try_collect`: copies down, and waiting for the device. Near
    /// `busy_s`: the device is what takes the time.
    pub collect_s: f64,
    /// Bytes of items that went up to the device; `None` where the stage does not say.
    pub bytes_up: Option<u64>,
    /// Bytes of rows that came down from it; `None` where the stage does not say.
    pub bytes_down: Option<u64>,
    /// Most bytes that the stage holds on the device at one time; `None` where it does not say.
    pub memory_bytes: Option<u64>,
    /// What its stage says of the device: variants of kernels that a trial left out, since they gave something else
    /// than the plainest, or lost the device. Empty: as it should be.
    pub notes: Vec<String>,
}

/// One kernel in a [`DeviceReport`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct KernelReport {
    /// The kernel, its number in the program, and the shape of what it gives.
    pub name: String,
    /// Seconds for a batch, the mean of those in which it was timed.
    pub seconds: f64,
    /// Share of all kernels' time, from 0 to 1. The largest is the one to make faster.
    pub share: f64,
}

/// Who waited for what, in seconds.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Waits {
    /// The devices waited for a batch, summed over the devices: the CPU half, the source or the caller was behind.
    pub device_for_batch_s: f64,
    /// The feeder waited for a token: the device or the caller was behind. Normal where the GPU is the bottleneck.
    pub feeder_for_token_s: f64,
    /// The feeder was inside the source's `next`.
    pub feeder_in_source_s: f64,
    /// The caller waited for a result. Near `wall_s`: the caller is never the bottleneck. Always 0 where the
    /// caller itself does the work (`workers(0)`).
    pub caller_for_result_s: f64,
}

/// How long documents of a live source were on their way, from when they were pulled until their batch was handed to
/// the caller.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Latency {
    /// All of it. Its largest part is mostly the wait for a batch: see `without_wait`.
    pub whole: Distribution,
    /// Without the time in which the batch waited for more documents
    /// ([`Pipeline::max_wait`](crate::Pipeline::max_wait)): what is left when nothing waits for company.
    pub without_wait: Distribution,
}

/// What the engine measured, in seconds, before it is interpreted.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) wall: f64,
    pub(crate) opening: f64,
    pub(crate) first_prepare: f64,
    pub(crate) last_work: f64,
    pub(crate) first_submit: f64,
    pub(crate) last_collect: f64,
    pub(crate) first_result: f64,
    pub(crate) spent: Spent,
    pub(crate) cpu: CpuReport,
    pub(crate) devices: Vec<DeviceReport>,
    pub(crate) waits: Waits,
    pub(crate) tokens: Option<usize>,
    pub(crate) peak_in_flight: usize,
    pub(crate) times: Times,
    pub(crate) accounts: Accounts,
    pub(crate) left_behind: Vec<String>,
    pub(crate) decisions: Vec<Decision>,
    pub(crate) rerun: Option<Rerun>,
    pub(crate) cores: usize,
    pub(crate) processor: f64,
    pub(crate) latency: Option<Latency>,
}

impl Report {
    pub(crate) fn new(measured: Measured) -> Self {
        let bottleneck = measured.spent.bottleneck();
        let bound = measured.spent.bound();
        let parts = Parts::new(&measured, bottleneck);
        let mut report = Self {
            wall_s: measured.wall,
            open_s: measured.opening,
            fill_s: parts.fill,
            busy_s: parts.busy,
            stalls_s: parts.stalls,
            drain_s: parts.drain,
            first_result_s: measured.first_result,
            bottleneck,
            cores: measured.cores,
            processor_s: measured.processor,
            latency: measured.latency,
            bound_s: bound,
            above_bound_percent: halves::above_percent(measured.wall, bound),
            cpu: measured.cpu,
            devices: measured.devices,
            waits: measured.waits,
            tokens: measured.tokens,
            peak_in_flight: measured.peak_in_flight,
            times: measured.times,
            peak_resident_bytes: peak_resident_bytes(),
            accounts: measured.accounts,
            left_behind: measured.left_behind,
            decisions: measured.decisions,
            costs: measured.rerun.map(|rerun| rerun.costs),
            changes: Vec::new(),
            advice: String::new(),
            before: Vec::new(),
        };
        if let Some(rerun) = measured.rerun {
            report.changes = changes(&rerun, report.wall_s);
        }
        report.advice = super::advice::advise(&report);
        report
    }

    /// The report of a run that could not start.
    pub(crate) fn not_started() -> Self {
        Self {
            peak_resident_bytes: peak_resident_bytes(),
            advice: "The run was not started: its first item says why.".into(),
            ..Self::default()
        }
    }

    /// Whether the GPU half used the processor that the workers used.
    pub fn shares_cpu(&self) -> bool {
        self.devices.iter().any(|device| device.kind.shares_cpu())
    }
}

/// `wall = fill + busy + stalls + drain`, seen from the bottleneck.
struct Parts {
    fill: f64,
    busy: f64,
    stalls: f64,
    drain: f64,
}

impl Parts {
    fn new(measured: &Measured, bottleneck: Bottleneck) -> Self {
        let wall = measured.wall;
        let (first, last, busy) = match bottleneck {
            Bottleneck::Gpu => {
                let busy = measured.devices.iter().map(|device| device.busy_s).fold(0.0, f64::max);
                (measured.first_submit, measured.last_collect, busy)
            }
            Bottleneck::Cpu => {
                let busy = measured.spent.cpu / measured.spent.workers.max(1.0);
                (measured.first_prepare, measured.last_work, busy)
            }
            Bottleneck::Cores => (measured.first_prepare, wall, measured.spent.cores_share()),
            Bottleneck::Source | Bottleneck::Idle => (0.0, wall, measured.spent.source),
            Bottleneck::Caller => (measured.first_result, wall, measured.spent.caller),
        };
        let fill = first.clamp(0.0, wall);
        let drain = (wall - last).clamp(0.0, wall - fill);
        let busy = busy.clamp(0.0, wall - fill - drain);
        Self { fill, busy, stalls: wall - fill - drain - busy, drain }
    }
}
