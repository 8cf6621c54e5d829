//! Puts a run together and starts its threads.

mod choices;

use std::io;
use std::sync::Arc;

use self::choices::{chooser, items_in_memory};
use super::auto::{self, Chooser};
use super::batch::Batch;
use super::budget::Budget;
use super::caller::{Caller, Drive, FEEDER, SequentialDevice, Turn};
use super::device::{BatchOf, DeviceLoop};
use super::feed::{Feeder, Source};
use super::job::{After, Job};
use super::limits::{Limits, OnLate};
use super::line::{Cuts, Line, Sink};
use super::plain;
use super::ran::Predictable;
use super::redraw::Redraw;
use super::seam::{Moment, Pool, Receiver, Seam, Sender, Threads, Workers};
use super::settings::{MOST_TOKENS, Settings};
use super::shared::{Parts, Shared};
use super::then::DoneOf;
use super::tokens::UNLIMITED;
use super::watchdog::{self, Lookout, OnStall};
use super::work::{Groups, Work};
use crate::error::Error;
use crate::observe::bar;
use crate::observe::decision::Decision;
use crate::observe::meters::DeviceMeter;
use crate::observe::spans::Spans;
use crate::stage::GpuStage;

/// Everything that a run is made of.
pub(crate) struct Plan<J: Job> {
    pub(crate) seam: Seam,
    pub(crate) cpu: J::Cpu,
    pub(crate) devices: Vec<J::Gpu>,
    pub(crate) after: J::After,
    pub(crate) settings: Settings<J::Prepared>,
    pub(crate) source: Source<J::Document>,
    /// All CPU work first, then all GPU work.
    pub(crate) sequential: bool,
    /// Told of items that are late.
    pub(crate) on_late: Option<OnLate>,
    /// Told of stalls.
    pub(crate) on_stall: Option<OnStall>,
}

/// Checks the settings, opens the stages, starts the threads.
pub(crate) fn start<J: Job>(mut plan: Plan<J>) -> Result<Caller<J>, Error> {
    plan.settings.check()?;
    if plan.devices.is_empty() && !plan.settings.direct {
        return Err(Error::Setting {
            name: "on_devices",
            reason: "no device was given; give at least one stage".into(),
        });
    }
    if plan.sequential || plan.settings.pool().threads() == 0 {
        // Everything happens in turn: a second device would only wait.
        plan.devices.truncate(1);
    }
    let items = items_in_memory(&mut plan)?;
    let before = plan.seam.now();
    let meters = open(&mut plan)?;
    let opening = plan.seam.now() - before;
    // What follows is the run: a stage that tries its kernels for seconds is no caller that idles.
    plan.seam.restart();
    check_depths(&plan, &meters)?;
    plan.settings.fit(items, depths(&meters), J::After::PER_ROW)?;
    let shares_cpu = meters.iter().any(|meter| meter.info.kind.shares_cpu());
    let chosen = auto::before_the_run(&mut plan.settings, plan.sequential, shares_cpu);
    let sizes = Sizes::new(&plan, &meters, items);
    let chooser = chooser(&plan, &meters, sizes);
    let threads = Threads::new(&plan.seam);
    let built = build(plan, meters, sizes, (chooser, chosen), &threads);
    let opened = built.map(|caller| Caller { opening, ..caller });
    opened.map_err(|error| {
        threads.join(std::time::Duration::from_secs(1), || std::time::Duration::from_millis(10));
        Error::Thread { cause: error.into() }
    })
}

fn open<J: Job>(plan: &mut Plan<J>) -> Result<Vec<Arc<DeviceMeter>>, Error> {
    let most = plan.settings.batch_size;
    plan.devices
        .iter_mut()
        .enumerate()
        .map(|(rank, gpu)| {
            let opened =
                super::shared::guard(|| gpu.open(most).map(|()| (gpu.device(), gpu.depth(), gpu.times())));
            let (device, depth, times) =
                opened.and_then(|opened| opened).map_err(|cause| Error::Open { cause })?;
            Ok(Arc::new(DeviceMeter::new(device, rank, depth.max(1), times)))
        })
        .collect()
}

fn depths(meters: &[Arc<DeviceMeter>]) -> usize {
    meters.iter().fold(0_usize, |depths, meter| depths.saturating_add(meter.depth))
}

/// What the stages ask for must be bounded as the settings are.
fn check_depths<J: Job>(plan: &Plan<J>, meters: &[Arc<DeviceMeter>]) -> Result<(), Error> {
    let depths = depths(meters);
    if depths.saturating_mul(plan.settings.batch_size) <= MOST_TOKENS {
        return Ok(());
    }
    let reason = format!("{depths} batches in flight on the devices are more than 2^24 documents; give less");
    Err(Error::Setting { name: "depth", reason })
}

/// Numbers that follow from the settings.
#[derive(Clone, Copy)]
struct Sizes {
    workers: usize,
    tokens: usize,
    /// Tokens that items of this kind have at least, where `ahead` was left open.
    least: usize,
    /// Items at which a batch is cut, whatever else it waits for: the tokens that items of any kind have.
    limit: usize,
    inline: bool,
}

impl Sizes {
    /// `items` are those that the memory holds.
    fn new<J: Job>(plan: &Plan<J>, meters: &[Arc<DeviceMeter>], items: Option<usize>) -> Self {
        let workers = plan.settings.pool().threads();
        let most = items.unwrap_or(usize::MAX);
        let limit = plan.settings.tokens(workers, depths(meters), J::After::PER_ROW).min(most);
        let inline = workers == 0;
        let left_open = (plan.settings.ahead.is_none() || plan.settings.asked.ahead)
            && plan.settings.max_wait.is_none()
            && !inline;
        let least = if left_open { plain::tokens::<J>().min(most) } else { 0 };
        Self { workers, tokens: limit.max(least), least, limit, inline }
    }

    /// A quarter of a worker's share of the tokens, so that a group never holds up a batch. One where the
    /// caller does everything: what it does next must not depend on measured time.
    fn most_in_group(self) -> usize {
        if self.inline {
            return 1;
        }
        (self.tokens / (4 * self.workers.max(1))).max(1)
    }
}

fn build<J: Job>(
    plan: Plan<J>,
    meters: Vec<Arc<DeviceMeter>>,
    sizes: Sizes,
    (chooser, chosen): (Option<Chooser>, Vec<Decision>),
    threads: &Threads,
) -> io::Result<Caller<J>> {
    let Plan { seam, cpu, devices, after, settings, source, sequential, on_late, on_stall } = plan;
    let (results_in, results) = seam.channel(2 * sizes.tokens + meters.len());
    let Route { sink, batches, held } = Route::new(&seam, sizes, sequential && !sizes.inline);
    let first_room = chooser.as_ref().map(Chooser::first_room);
    let limit = first_room.map_or(sizes.limit, |(limit, _)| limit);
    let line = Line::new(cuts(&settings, limit), sink, Budget::new(settings.on_failure), J::documents);
    let depths: Vec<usize> = meters.iter().map(|meter| meter.depth).collect();
    let predictable =
        Predictable::new(&settings, sizes.workers, &depths, sizes.tokens).filter(|_| !sequential);
    let pool = settings.pool();
    let own_pool = matches!(pool, Pool::Private(_));
    let shared = Shared::new(Parts {
        work: Work::new(
            &seam,
            sizes.workers,
            Groups {
                most: sizes.most_in_group(),
                fixed: settings.fixed_chunk(),
                paced: settings.pause.is_some(),
            },
            own_pool,
        ),
        tokens: if held.is_some() { UNLIMITED } else { sizes.tokens },
        workers: if sizes.inline { None } else { Some(Workers::start(&seam, &pool, threads)?) },
        threads: threads.clone(),
        item_timeout: settings.item_timeout,
        recording: settings.recording,
        total: settings.total,
        lookout: settings
            .watchdog
            .map(|asked| Lookout::new(&seam, asked, settings.documents, settings.max_wait.is_some())),
        spans: Spans::new(sizes.workers, meters.len(), settings.batch_size, sizes.tokens, settings.documents),
        device: !settings.direct,
        chooser,
        chosen,
        line,
        seam,
        cpu,
        after,
    });
    if let Some((_, tokens)) = first_room {
        shared.tokens.allow(tokens);
    }
    let feeder = Feeder::new(&shared, source, settings.batch_size, settings.pause);
    let make = Make { shared: &shared, meters: &meters, settings: &settings, results: results_in };
    let drive = make.drive(devices, feeder, batches.as_ref(), held, sizes);
    // A thread that could not be started leaves others behind, which wait for what will never come.
    let drive = drive.and_then(|drive| watch(&shared, on_stall).map(|()| drive));
    let drive = drive.inspect_err(|_| shared.stop())?;
    let show = if settings.bar { bar::on_terminal() } else { None };
    let redraw = show.map(|show| Redraw::new(show, &meters, sizes.workers));
    Ok(Caller {
        only_takes: matches!(drive, Drive::Threads | Drive::Direct { feeder: None }),
        shared,
        drive,
        results,
        batches,
        devices: meters,
        order: settings.order,
        grace: settings.grace,
        own_source: settings.own_source,
        workers: sizes.workers,
        opening: Moment::ZERO,
        turn: Turn::default(),
        limits: Limits { deadline: settings.deadline, on_late, redraw },
        predictable,
    })
}

/// Starts the watchdog, where there is one.
fn watch<J: Job>(shared: &Arc<Shared<J>>, on_stall: Option<OnStall>) -> io::Result<()> {
    if shared.lookout.is_none() {
        return Ok(());
    }
    let watched = shared.clone();
    shared.threads.spawn("gapless-watchdog".into(), move || watchdog::run(&watched, on_stall))
}

fn cuts<P>(settings: &Settings<P>, limit: usize) -> Cuts<P> {
    Cuts {
        size: settings.batch_size,
        ramp: settings.ramp && !settings.asked.cuts(),
        early: settings.asked.cuts(),
        limit,
        order: settings.order,
        last: settings.last_batch,
        eager: settings.direct,
    }
}

type Batches<D, P> = Receiver<Batch<D, P>>;

/// The way of the batches from the line to whoever runs the device.
struct Route<D, P> {
    sink: Sink<D, P>,
    batches: Option<Batches<D, P>>,
    /// In a sequential run, where all batches come at once.
    held: Option<Receiver<Batches<D, P>>>,
}

impl<D, P> Route<D, P> {
    fn new(seam: &Seam, sizes: Sizes, hold: bool) -> Self {
        if hold {
            let (out, held) = seam.channel(1);
            let sink = Sink::Hold { seam: seam.clone(), held: Vec::new(), out };
            return Self { sink, batches: None, held: Some(held) };
        }
        let (sender, receiver) = seam.channel(sizes.tokens);
        Self { sink: Sink::Stream(sender), batches: Some(receiver), held: None }
    }
}

struct Make<'a, J: Job> {
    shared: &'a Arc<Shared<J>>,
    meters: &'a [Arc<DeviceMeter>],
    settings: &'a Settings<J::Prepared>,
    results: Sender<DoneOf<J>>,
}

impl<J: Job> Make<'_, J> {
    /// Threads, or the caller: `held` is there in a sequential run.
    fn drive(
        self,
        devices: Vec<J::Gpu>,
        feeder: Feeder<J>,
        batches: Option<&Receiver<BatchOf<J>>>,
        held: Option<Receiver<Receiver<BatchOf<J>>>>,
        sizes: Sizes,
    ) -> io::Result<Drive<J>> {
        if self.settings.direct {
            return self.direct(feeder, sizes);
        }
        match (held, batches) {
            (Some(held), _) => self.sequential(devices, feeder, held),
            (None, Some(batches)) if sizes.inline => Ok(self.inline(devices, feeder, batches)),
            (None, Some(batches)) => self.threads(devices, feeder, batches),
            (None, None) => Ok(Drive::Threads),
        }
    }

    fn device(&self, rank: usize, gpu: J::Gpu, batches: Receiver<BatchOf<J>>) -> DeviceLoop<J> {
        let out = self.results.clone();
        DeviceLoop::new(self.shared, gpu, &self.meters[rank], batches, out, self.settings.max_wait)
    }

    fn threads(
        self,
        devices: Vec<J::Gpu>,
        feeder: Feeder<J>,
        batches: &Receiver<BatchOf<J>>,
    ) -> io::Result<Drive<J>> {
        let several = devices.len() > 1;
        for (rank, gpu) in devices.into_iter().enumerate() {
            let device = self.device(rank, gpu, batches.clone());
            let name = if several { format!("gapless-device-{rank}") } else { "gapless-device".into() };
            self.shared.threads.spawn(name, move || device.run())?;
        }
        self.shared.threads.spawn(FEEDER.into(), move || feeder.run())?;
        Ok(Drive::Threads)
    }

    /// No device: the caller takes the batches themselves.
    fn direct(self, feeder: Feeder<J>, sizes: Sizes) -> io::Result<Drive<J>> {
        if sizes.inline {
            return Ok(Drive::Direct { feeder: Some(feeder) });
        }
        self.shared.threads.spawn(FEEDER.into(), move || feeder.run())?;
        Ok(Drive::Direct { feeder: None })
    }

    /// One device is enough where everything happens in turn.
    fn inline(self, devices: Vec<J::Gpu>, feeder: Feeder<J>, batches: &Receiver<BatchOf<J>>) -> Drive<J> {
        let device = devices.into_iter().next().map(|gpu| Box::new(self.device(0, gpu, batches.clone())));
        Drive::Inline { feeder, device }
    }

    /// As inline, one device: the first.
    fn sequential(
        self,
        devices: Vec<J::Gpu>,
        feeder: Feeder<J>,
        held: Receiver<Receiver<BatchOf<J>>>,
    ) -> io::Result<Drive<J>> {
        self.shared.threads.spawn(FEEDER.into(), move || feeder.run())?;
        let (shared, meter) = (self.shared.clone(), self.meters[0].clone());
        let (results, max_wait) = (self.results, self.settings.max_wait);
        let device = devices.into_iter().next().map_or(SequentialDevice::Ended, |gpu| {
            SequentialDevice::Later(Box::new(move |batches| {
                DeviceLoop::new(&shared, gpu, &meter, batches, results, max_wait)
            }))
        });
        Ok(Drive::Sequential { held, device })
    }
}
