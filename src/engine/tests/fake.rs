//! Documents that say what happens to them, and a device that owes results; the CPU half is in `fake_cpu`.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::time::Duration;

pub(super) use super::fake_cpu::{FakeCpu, FakeThen};
pub(super) use super::outcome::{Outcome, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::{After, AsItIs, Job};
use crate::engine::road::source::{AnySource, documents};
use crate::engine::seam::manual::Machine;
use crate::engine::seam::{Moment, Seam};
use crate::engine::settings::{Common, LastBatch, Settings};
use crate::engine::start::{Free, Plan, start};
use crate::engine::watch::OnStall;
use crate::error::{Cause, Error};
use crate::stage::{DeviceInfo, DeviceKind, GpuStage, StageError};

/// Longer than any patience.
pub(super) const HOUR: Duration = Duration::from_secs(3600);

/// What a document does to the stage that gets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Fault {
    #[default]
    None,
    /// It takes a worker 160 times as long as another.
    TakesLong,
    CpuFails,
    CpuPanics,
    /// The CPU half takes an hour.
    CpuHangs,
    /// The CPU half looks whether it was interrupted, a second later waits until it is, and fails then.
    CpuWaits,
    /// The CPU half takes it out of its batch.
    LeavesItsBatch,
    /// The device takes an hour to take the batch.
    SubmitHangs,
    /// The device takes an hour to run the batch.
    DeviceHangs,
    BatchFails,
    BatchTooLarge,
    /// The device is lost when a batch with this document is submitted.
    LosesDevice,
    /// The device is lost while it runs a batch with this document, which may be noticed at any call.
    LosesDeviceLater,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doc {
    pub(super) id: u64,
    pub(super) fault: Fault,
}

pub(super) fn docs(count: u64) -> impl Iterator<Item = Doc> + Send + 'static {
    (0..count).map(|id| Doc { id, fault: Fault::None })
}

/// Lets time pass, or others go first; where a thread works, as long as the cores take for it.
pub(super) fn work(seam: &Seam, works: impl FnOnce(Machine) -> bool, time: Duration) {
    match seam {
        Seam::Manual(world) if works(world.machine()) => world.work(time),
        _ => pass(seam, time),
    }
}

/// Lets time pass, or others go first.
pub(super) fn pass(seam: &Seam, time: Duration) {
    match seam {
        Seam::Manual(world) => world.sleep(time),
        Seam::Shuttle(_) => shuttle::thread::yield_now(),
        Seam::Real { .. } => {}
    }
}

/// A device that works on one batch after another, and owes as many results as it is deep.
pub(super) struct FakeDevice {
    pub(super) seam: Seam,
    pub(super) depth: usize,
    /// Time a call and a document.
    pub(super) launch: Duration,
    pub(super) cost: Duration,
    pub(super) busy_until: Moment,
    pub(super) owed: VecDeque<u64>,
    /// How long it takes to make it again; `None` where that cannot be done.
    pub(super) rebuilt_in: Option<Duration>,
    /// Times that it may still be lost for no reason, under random schedules.
    pub(super) bad_luck: u32,
    /// A batch that loses it has been submitted.
    pub(super) doomed: bool,
    /// Times it was made again.
    pub(super) life: u64,
    /// From this document on a launch takes ten times as long.
    pub(super) slow_from: u64,
}

impl FakeDevice {
    pub(super) fn new(seam: &Seam, depth: usize, launch: Duration, cost: Duration) -> Self {
        Self {
            seam: seam.clone(),
            depth,
            launch,
            cost,
            busy_until: Moment::ZERO,
            owed: VecDeque::new(),
            rebuilt_in: None,
            bad_luck: 0,
            doomed: false,
            life: 0,
            slow_from: u64::MAX,
        }
    }

    /// An error if the device is lost by now, for whatever reason.
    fn there(&mut self) -> Result<(), StageError> {
        let random = |once_in| shuttle::rand::Rng::gen_ratio(&mut shuttle::rand::thread_rng(), 1, once_in);
        let by_chance = self.bad_luck > 0 && random(10);
        self.bad_luck -= u32::from(by_chance);
        let noticed = self.doomed && matches!(self.seam, Seam::Shuttle(_)) && random(2);
        if by_chance || noticed { Err(StageError::Lost(Cause::msg("planned"))) } else { Ok(()) }
    }

    /// Whether it computes on the cores that the workers use.
    fn on_cpu(&self) -> bool {
        matches!(&self.seam, Seam::Manual(world) if world.machine().device_works)
    }

    fn info(&self) -> DeviceInfo {
        if self.on_cpu() { DeviceInfo::new("cpu", DeviceKind::Twin) } else { DeviceInfo::default() }
    }

    fn make_again(&mut self) -> Result<(), StageError> {
        let Some(time) = self.rebuilt_in else { return Err(StageError::Batch(Cause::msg("no such device"))) };
        pass(&self.seam, time);
        self.owed.clear();
        self.doomed = false;
        self.life += 1;
        self.busy_until = self.seam.now();
        self.there()
    }

    fn take(&mut self, ids: Vec<u64>, documents: usize) -> FakeTicket {
        assert!(self.owed.len() < self.depth, "no more batches are in flight than the device takes");
        let slow = ids.first().is_some_and(|first| *first >= self.slow_from);
        let work = self.launch * if slow { 10 } else { 1 } + self.cost * documents as u32;
        if self.on_cpu() {
            super::fake::work(&self.seam, |_| true, work);
            self.busy_until = self.seam.now();
        } else {
            if let Seam::Manual(world) = &self.seam {
                world.work(world.machine().hands_over);
            }
            self.busy_until = self.busy_until.max(self.seam.now()).plus(work);
        }
        let first = ids.first().copied().unwrap_or_default();
        self.owed.push_back(first);
        FakeTicket { ids, first, done: self.busy_until, looks: 0, life: self.life, loses_device: false }
    }

    fn collect(&mut self, ticket: &mut FakeTicket, wait: Duration) -> Result<Option<Vec<u64>>, StageError> {
        assert_eq!(ticket.life, self.life, "a lost device is asked for nothing that it owed");
        assert_eq!(self.owed.front(), Some(&ticket.first), "the oldest batch is asked for first");
        let left = ticket.done.since(self.seam.now());
        if !left.is_zero() {
            pass(&self.seam, left.min(wait));
        }
        ticket.looks += 1;
        let ready = match self.seam {
            Seam::Shuttle(_) => {
                ticket.looks > 1 || shuttle::rand::Rng::r#gen(&mut shuttle::rand::thread_rng())
            }
            _ => self.seam.now() >= ticket.done,
        };
        self.there()?;
        if !ready {
            return Ok(None);
        }
        if ticket.loses_device {
            return Err(StageError::Lost(Cause::msg("planned")));
        }
        self.owed.pop_front();
        Ok(Some(ticket.ids.clone()))
    }
}

pub(super) struct FakeTicket {
    ids: Vec<u64>,
    first: u64,
    done: Moment,
    looks: usize,
    /// The device that owes it.
    life: u64,
    loses_device: bool,
}

impl GpuStage<Doc> for FakeDevice {
    type Output = Vec<u64>;
    type Ticket = FakeTicket;

    fn depth(&self) -> usize {
        self.depth
    }

    fn most_depth(&self) -> usize {
        if self.on_cpu() { self.depth } else { 8 }
    }

    fn split(&self) -> Option<Self> {
        self.on_cpu().then(|| Self::new(&self.seam, self.depth, self.launch, self.cost))
    }

    fn device(&self) -> DeviceInfo {
        self.info()
    }

    fn submit(&mut self, batch: &[Doc]) -> Result<FakeTicket, StageError> {
        let has = |fault| batch.iter().any(|document| document.fault == fault);
        self.there()?;
        if has(Fault::LosesDevice) {
            return Err(StageError::Lost(Cause::msg("planned")));
        }
        if has(Fault::BatchFails) {
            return Err(StageError::Batch(Cause::msg("planned")));
        }
        if has(Fault::BatchTooLarge) && batch.len() > 1 {
            return Err(StageError::TooLarge(Cause::msg("planned")));
        }
        if has(Fault::SubmitHangs) {
            pass(&self.seam, HOUR);
        }
        if has(Fault::DeviceHangs) {
            self.busy_until = self.seam.now().plus(HOUR);
        }
        let mut ticket = self.take(batch.iter().map(|document| document.id).collect(), batch.len());
        ticket.loses_device = has(Fault::LosesDeviceLater);
        self.doomed |= ticket.loses_device;
        Ok(ticket)
    }

    fn try_collect(
        &mut self,
        ticket: &mut FakeTicket,
        wait: Duration,
    ) -> Result<Option<Vec<u64>>, StageError> {
        self.collect(ticket, wait)
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        self.make_again()
    }
}

impl GpuStage<Vec<Doc>> for FakeDevice {
    type Output = Vec<u64>;
    type Ticket = FakeTicket;

    fn depth(&self) -> usize {
        self.depth
    }

    fn submit(&mut self, batch: &[Vec<Doc>]) -> Result<FakeTicket, StageError> {
        let ids: Vec<u64> = batch.iter().flatten().map(|document| document.id).collect();
        let documents = ids.len();
        Ok(self.take(ids, documents))
    }

    fn try_collect(
        &mut self,
        ticket: &mut FakeTicket,
        wait: Duration,
    ) -> Result<Option<Vec<u64>>, StageError> {
        self.collect(ticket, wait)
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        self.make_again()
    }
}

/// Documents that take `cost` of manual time each before they come.
pub(super) fn slow_docs(
    seam: &Seam,
    count: u64,
    cost: Duration,
) -> impl Iterator<Item = Doc> + Send + 'static {
    let seam = seam.clone();
    docs(count).inspect(move |_| pass(&seam, cost))
}

/// Document by document, with or without a function on the rows.
pub(super) struct PerDoc<A>(PhantomData<fn() -> A>);

impl<A: After<Doc, Vec<u64>>> Job for PerDoc<A> {
    type Document = Doc;
    type Prepared = Doc;
    type Output = Vec<u64>;
    type Delivered = A::Delivered;
    type Cpu = FakeCpu;
    type Gpu = FakeDevice;
    type After = A;
    type Source = AnySource<'static, Doc>;

    fn documents(_: &Doc) -> usize {
        1
    }
}

/// A batch is one opaque call.
pub(super) struct PerBatch;

impl Job for PerBatch {
    type Document = Vec<Doc>;
    type Prepared = Vec<Doc>;
    type Output = Vec<u64>;
    type Delivered = Vec<u64>;
    type Cpu = FakeCpu;
    type Gpu = FakeDevice;
    type After = AsItIs;
    type Source = AnySource<'static, Vec<Doc>>;

    fn documents(batch: &Vec<Doc>) -> usize {
        batch.len()
    }
}

impl Settings {
    /// The same, where what every run can be told is changed.
    pub(super) fn told(mut self, change: impl FnOnce(&mut Common)) -> Self {
        change(&mut self.common);
        self
    }
}

/// What a test says about a run.
pub(super) struct Setup {
    pub(super) seam: Seam,
    pub(super) cpu_cost: Duration,
    pub(super) begins_futures: bool,
    pub(super) devices: Vec<FakeDevice>,
    pub(super) sequential: bool,
}

impl Setup {
    /// Starts a run over these documents.
    pub(super) fn start<J>(
        self,
        after: J::After,
        settings: Settings,
        source: impl Iterator<Item = J::Document> + Send + 'static,
    ) -> Result<Caller<J>, Error>
    where
        J: Job<Cpu = FakeCpu, Gpu = FakeDevice, Source = AnySource<'static, <J as Job>::Document>> + 'static,
        FakeDevice: GpuStage<J::Prepared, Output = J::Output>,
    {
        self.start_watched(after, settings, source, None)
    }

    /// The same, with somebody to be told of stalls.
    pub(super) fn start_watched<J>(
        self,
        after: J::After,
        settings: Settings,
        source: impl Iterator<Item = J::Document> + Send + 'static,
        on_stall: Option<OnStall>,
    ) -> Result<Caller<J>, Error>
    where
        J: Job<Cpu = FakeCpu, Gpu = FakeDevice, Source = AnySource<'static, <J as Job>::Document>> + 'static,
        FakeDevice: GpuStage<J::Prepared, Output = J::Output>,
    {
        let Self { seam, cpu_cost, begins_futures, devices, sequential } = self;
        let cpu = FakeCpu::new(&seam, cpu_cost, begins_futures);
        let plan = Plan::<J> {
            seam,
            cpu,
            devices,
            after,
            settings,
            last_batch: LastBatch::Short,
            source: documents(source),
            sequential,
            on_late: None,
            on_stall,
        };
        start(plan, Free)
    }
}
