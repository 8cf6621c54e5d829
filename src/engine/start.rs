//! Puts a run together and starts its threads.

mod choices;
pub(crate) mod crew;
mod sizes;
mod split;

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use self::choices::{chooser, items_in_memory};
use self::crew::start_workers;
pub(crate) use self::crew::{Crew, Free, Scoped};
use self::sizes::{Sizes, depths};
use super::auto::{self, Chooser};
use super::guard::{Held, drop_each, drop_user, guard};
use super::ledger::{Facts, Ledger, Opening, Predictable, UNLIMITED};
use super::outlet::FEEDER;
use super::outlet::caller::{self, Caller};
use super::outlet::hands::Hands;
use super::road::device::DeviceLoop;
use super::road::device_state::Device;
use super::road::feed::Feeder;
use super::road::futures;
use super::road::idle_devices::IdleDevices;
use super::road::job::{After, Job};
use super::road::later::Later;
use super::road::line::{Cuts, Line};
use super::road::queue::Queue;
use super::road::shared::Road;
use super::road::source::Source as _;
use super::seam::{Body, Pool, Seam, Threads};
use super::settings::{LastBatch, Order, Settings};
use super::watch::{Checks, LateItems, Lookout, OnLate, OnStall, Redraw, Watched, run_watchdog};
use crate::error::Error;
use crate::observe::bar;
use crate::observe::decision::Decision;
use crate::observe::meters::DeviceMeter;
use crate::observe::spans::Spans;
use crate::schedule::cutter::{Begin, Cutter};
use crate::schedule::refused;
use crate::schedule::tokens::Room;
use crate::schedule::turns::Groups;
use crate::stage::{CpuStage as _, GpuStage};

/// Everything that a run is made of.
pub(crate) struct Plan<J: Job> {
    pub(crate) seam: Seam,
    pub(crate) cpu: J::Cpu,
    pub(crate) devices: Vec<J::Gpu>,
    pub(crate) after: J::After,
    pub(crate) settings: Settings,
    pub(crate) last_batch: LastBatch<J::Prepared>,
    pub(crate) source: J::Source,
    /// All CPU work first, then all GPU work: the line opens late, and the caller runs the device.
    pub(crate) sequential: bool,
    /// Told of items that are late.
    pub(crate) on_late: Option<OnLate>,
    /// Told of stalls.
    pub(crate) on_stall: Option<OnStall>,
}

/// Checks the settings, opens the stages, starts the threads.
pub(crate) fn start<'a, J: Job + 'a>(mut plan: Plan<J>, crew: impl Crew<'a, J>) -> Result<Caller<J>, Error> {
    let prepared = match prepare(&mut plan) {
        Ok(prepared) => prepared,
        Err(error) => {
            plan.discard();
            return Err(error);
        }
    };
    let threads = Threads::new(&plan.seam, plan.settings.common.stack);
    build(plan, prepared, &threads, crew).map_err(|error| {
        threads.join(Duration::from_secs(1), || Duration::from_millis(10));
        Error::Thread { cause: error.into() }
    })
}

impl<J: Job> Plan<J> {
    /// Drops what is the user's.
    fn discard(self) {
        let Self { cpu, devices, after, source, on_late, on_stall, .. } = self;
        drop_each(devices);
        drop_user(cpu);
        drop_user(after);
        drop_user(source);
        drop_user(on_late);
        drop_user(on_stall);
    }
}

/// What is known before any thread is started.
struct Prepared {
    meters: Vec<Arc<DeviceMeter>>,
    sizes: Sizes,
    choices: Choices,
}

/// Everything that can fail before a thread is started.
fn prepare<J: Job>(plan: &mut Plan<J>) -> Result<Prepared, Error> {
    plan.settings.check()?;
    plan.settings.wait_for_latency();
    plan.settings.pads = matches!(plan.last_batch, LastBatch::Pad(_));
    if plan.devices.is_empty() && !plan.settings.without_device {
        return refused::refuse("on_devices", "no device was given; give at least one stage");
    }
    let inline = plan.settings.common.pool().threads() == 0;
    plan.sequential &= !inline;
    if (plan.sequential || inline) && !plan.devices.is_empty() {
        // Everything happens in turn: a second device would only wait.
        drop_each(plan.devices.drain(1..));
    }
    let items = items_in_memory(plan)?;
    let devices = split::split(plan, items)?;
    let before = plan.seam.now();
    let meters = open(plan)?;
    let opening = plan.seam.now().since(before);
    // What follows is the run: a stage that tries its kernels for seconds is no caller that idles.
    plan.seam.restart();
    refused::check_depths(depths(&meters), plan.settings.batch_size)?;
    plan.settings.fit(items, depths(&meters), J::After::PER_ROW)?;
    let shares_cpu = meters.iter().any(|meter| meter.info.kind.shares_cpu());
    let mut chosen = auto::before_the_run(&mut plan.settings, plan.sequential, shares_cpu);
    chosen.extend(devices);
    let sizes = Sizes::new(plan, &meters, items);
    let chooser = chooser(plan, &meters, sizes);
    Ok(Prepared { meters, sizes, choices: Choices { chooser, chosen, opening } })
}

fn open<J: Job>(plan: &mut Plan<J>) -> Result<Vec<Arc<DeviceMeter>>, Error> {
    let most = plan.settings.batch_size;
    plan.devices
        .iter_mut()
        .enumerate()
        .map(|(rank, gpu)| {
            let opened = guard(|| {
                gpu.open(most).map(|()| (gpu.device(), (gpu.depth(), gpu.most_depth()), gpu.times()))
            });
            let (device, depths, times) =
                opened.and_then(|opened| opened).map_err(|cause| Error::Open { cause })?;
            Ok(Arc::new(DeviceMeter::new(device, rank, depths, times)))
        })
        .collect()
}

/// What was chosen before the run, who chooses in it, and how long it took until here.
struct Choices {
    chooser: Option<Chooser>,
    chosen: Vec<Decision>,
    opening: Duration,
}

fn build<'a, J: Job + 'a, C: Crew<'a, J>>(
    plan: Plan<J>,
    prepared: Prepared,
    threads: &Threads,
    crew: C,
) -> io::Result<Caller<J>> {
    let Prepared { meters, sizes, choices } = prepared;
    let Plan { seam, cpu, devices, after, settings, last_batch, source, sequential, on_late, on_stall } =
        plan;
    let first_room = choices.chooser.as_ref().map(Chooser::first_room);
    let facts = facts::<J>(&seam, &settings, &meters, sizes, &choices, sequential);
    let ledger = Arc::new(ledger(&seam, threads, &settings, sizes, facts, sequential));
    let (results_in, results) = seam.channel(results_at_most(sizes, meters.len()));
    let limit = first_room.map_or(sizes.limit, |room| room.limit);
    let pool = settings.common.pool();
    let watched = Watched { workers: sizes.workers, devices: meters.len() };
    let lookout = settings.common.watchdog.map(|asked| {
        Arc::new(Lookout::new(&seam, asked, watched, settings.documents, settings.max_wait.is_some()))
    });
    let late = settings.common.item_timeout.map(|limit| Arc::new(LateItems::new(&seam, limit)));
    let groups = Groups::new(sizes.tokens, sizes.workers, settings.fixed_chunk());
    let cuts = Cuts {
        cutter: cutter(&settings, limit),
        order: settings.common.order,
        last: last_batch,
        without_device: settings.without_device,
        devices: meters.len(),
        opens_late: sequential,
        live: settings.is_live() && !sequential && !sizes.inline,
    };
    let workers = if sizes.inline { None } else { Some(crew.workers(&seam, &pool, threads)?) };
    let (workers, tickets) = workers.unzip();
    let road = Arc::new(Road {
        queue: Queue::new(&seam, ledger.tokens.total(), sizes.workers, groups),
        later: Later::new(&seam),
        idle_devices: IdleDevices::new(&seam, settings.on_workers),
        line: seam.mutex(Line::new(&ledger, cuts)),
        batch_there: seam.condvar(),
        in_then: seam.mutex(Vec::new()),
        left: seam.mutex(Vec::new()),
        results: results_in,
        unread: results.clone(),
        caller_is_gone: super::seam::atomics::AtomicBool::new(false),
        workers,
        end_source: source.end(),
        call: C::call,
        own_pool: matches!(pool, Pool::Private(_)),
        paced: settings.common.pause.is_some(),
        late: late.clone(),
        lookout: lookout.clone(),
        chooser: choices.chooser,
        ledger: ledger.clone(),
        cpu: Held::new(cpu),
        after: Held::new(after),
    });
    if let Some(Room { tokens, .. }) = first_room {
        ledger.tokens.allow(tokens);
    }
    // What can be told to end is waited for.
    let ends_by_itself = road.end_source.is_some();
    let feeder = Feeder::new(&road, source, settings.batch_size, settings.common.pause);
    let starter = Starter {
        road: &road,
        meters: &meters,
        max_wait: settings.max_wait,
        sizes,
        sequential,
        on_workers: settings.on_workers,
        crew,
        life: PhantomData,
    };
    let workers = tickets.flatten().map_or(Ok(()), |tickets| start_workers(crew, &road, &tickets, &pool));
    let hands = workers.and_then(|()| starter.hands(devices, feeder));
    let hands = hands.and_then(|hands| watch(&ledger, crew, lookout.clone(), on_stall).map(|()| hands));
    // A thread that could not be started leaves others behind, which wait for what will never come.
    let hands = hands.inspect_err(|_| {
        road.stop();
        road.caller_goes();
    })?;
    let redraw = if settings.common.bar { bar::on_terminal() } else { None }.map(Redraw::new);
    Ok(Caller::new(caller::Parts {
        road,
        hands,
        results,
        checks: Checks { deadline: settings.common.deadline, on_late, redraw, late, lookout },
        grace: settings.common.grace,
        own_source: settings.common.own_source || ends_by_itself,
        any_order: settings.common.order == Order::Completion,
        #[cfg(feature = "stream")]
        aside: C::ASIDE,
        remote: C::remote,
    }))
}

/// Parts of batches, an error of each device, and the news of the line.
fn results_at_most(sizes: Sizes, devices: usize) -> usize {
    (2 * sizes.tokens).saturating_add(2 * devices + 16 + sizes.workers)
}

fn facts<J: Job>(
    seam: &Seam,
    settings: &Settings,
    meters: &[Arc<DeviceMeter>],
    sizes: Sizes,
    choices: &Choices,
    sequential: bool,
) -> Facts {
    let depths: Vec<usize> = meters.iter().map(|meter| meter.depth).collect();
    let predictable = Predictable::new(settings, sizes.workers, &depths, sizes.tokens);
    Facts {
        cores: seam.cores(),
        process_time: seam.process_time(),
        live: settings.is_live(),
        from_run: settings.common.from_run,
        to_run: settings.common.to_run,
        workers: sizes.workers,
        total: settings.common.total,
        devices: meters.to_vec(),
        opening: choices.opening,
        per_row: J::After::PER_ROW,
        only_takes: !sizes.inline && !sequential,
        predictable: predictable.filter(|_| !sequential),
        chosen: choices.chosen.clone(),
    }
}

fn ledger(
    seam: &Seam,
    threads: &Threads,
    settings: &Settings,
    sizes: Sizes,
    facts: Facts,
    sequential: bool,
) -> Ledger {
    let spans =
        Spans::new(sizes.workers, facts.devices.len(), settings.batch_size, sizes.tokens, settings.documents);
    Ledger::new(Opening {
        seam: seam.clone(),
        threads: threads.clone(),
        tokens: if sequential { UNLIMITED } else { sizes.tokens },
        // What accounts count: an item of the faces is one, whatever it holds.
        documents: if settings.whole_batches { settings.documents } else { 1 },
        on_failure: settings.common.on_failure,
        recording: settings.common.recording,
        spans,
        facts,
    })
}

/// Starts the watchdog, where there is one.
fn watch<'a, J: Job>(
    ledger: &Arc<Ledger>,
    crew: impl Crew<'a, J>,
    lookout: Option<Arc<Lookout>>,
    on_stall: Option<OnStall>,
) -> io::Result<()> {
    let Some(lookout) = lookout else { return Ok(()) };
    let watched = ledger.clone();
    let body = move || run_watchdog(&watched, &lookout, on_stall);
    crew.spawn(&ledger.threads, "gapless-watchdog".into(), Box::new(body))
}

fn cutter(settings: &Settings, limit: usize) -> Cutter {
    let begin = if settings.is_live() && settings.asked.cuts() {
        // A device that idles gets what there is anyhow.
        Begin::Full
    } else if settings.asked.cuts() {
        Begin::Early
    } else if settings.ramp {
        Begin::Ramp
    } else {
        Begin::Full
    };
    // Without a device whatever stands is cut behind each group, and nothing sooner.
    let (size, limit) =
        if settings.without_device { (usize::MAX, usize::MAX) } else { (settings.batch_size, limit) };
    Cutter::new(size, limit, begin)
}

/// Starts whoever does the work: threads, or the caller.
struct Starter<'d, 'a, J: Job, C> {
    road: &'d Arc<Road<J>>,
    meters: &'d [Arc<DeviceMeter>],
    max_wait: Option<Duration>,
    sizes: Sizes,
    sequential: bool,
    on_workers: bool,
    crew: C,
    life: PhantomData<fn() -> &'a ()>,
}

impl<'a, J: Job + 'a, C: Crew<'a, J>> Starter<'_, 'a, J, C> {
    fn hands(self, devices: Vec<J::Gpu>, feeder: Feeder<J>) -> io::Result<Hands<J>> {
        let mut hands = Hands::none();
        let several = devices.len() > 1;
        for (rank, gpu) in devices.into_iter().enumerate() {
            let device = Device::new(&self.road.ledger, gpu, &self.meters[rank], self.max_wait);
            if self.sizes.inline || self.sequential {
                hands.device = Some(Box::new(DeviceLoop::new(self.road, device)));
            } else if self.on_workers {
                self.road.idle_devices.put(device, &self.road.ledger);
            } else {
                let name = if several { format!("gapless-device-{rank}") } else { "gapless-device".into() };
                let device = DeviceLoop::new(self.road, device);
                self.spawn(name, Box::new(move || device.run()))?;
            }
        }
        if self.sizes.inline {
            hands.feeder = Some(feeder);
        } else {
            self.spawn(FEEDER.into(), Box::new(move || feeder.run()))?;
            self.poll_futures()?;
        }
        Ok(hands)
    }

    /// Starts the thread that polls futures, where the stage begins any.
    fn poll_futures(&self) -> io::Result<()> {
        if !self.road.cpu.waits() {
            return Ok(());
        }
        let road = self.road.clone();
        self.spawn(futures::POLLER.into(), Box::new(move || futures::run(&road)))
    }

    /// A panic that comes out of a thread is a bug of ours: the run ends with it.
    fn spawn(&self, name: String, body: Body<'a>) -> io::Result<()> {
        let road = self.road.clone();
        let body = move || {
            if let Err(cause) = guard(body) {
                road.bug(cause);
            }
        };
        self.crew.spawn(&self.road.ledger.threads, name, Box::new(body))
    }
}
