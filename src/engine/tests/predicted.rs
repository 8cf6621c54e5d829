//! A prediction is what the engine does: under manual time, to the nanosecond.

use std::time::Duration;

use super::fake::{Doc, FakeDevice, FakeThen, PerBatch, PerDoc, Setup, slow_docs};
#[cfg(feature = "stream")]
use super::polled;
use crate::engine::outlet::caller::{Caller, Next};
use crate::engine::road::job::{AsItIs, Job};
use crate::engine::seam::Seam;
use crate::engine::seam::manual::{Machine, World};
use crate::engine::settings::{self, WorkerCount};
use crate::error::Error;
use crate::observe::predict::tests::Random;
use crate::observe::predict::{Costs, Prediction, Settings, Way, left_to_chance, predict};
use crate::observe::report::Report;

/// A run of the real engine with these costs and settings, to its end.
pub(super) struct Replay<'a> {
    costs: &'a Costs,
    settings: &'a Settings,
    world: World,
    seam: Seam,
    /// Whether results are polled for.
    polled: bool,
    /// Whether the source is live.
    live: bool,
    /// Whether the workers run the devices.
    on_workers: bool,
}

impl<'a> Replay<'a> {
    pub(super) fn new(costs: &'a Costs, settings: &'a Settings) -> Self {
        Self::on(costs, settings, Machine::LARGE)
    }

    pub(super) fn on(costs: &'a Costs, settings: &'a Settings, machine: Machine) -> Self {
        let world = World::on(machine);
        Self {
            costs,
            settings,
            seam: Seam::Manual(world.clone()),
            world,
            polled: false,
            live: false,
            on_workers: false,
        }
    }

    pub(super) fn polled(self, polled: bool) -> Self {
        Self { polled, ..self }
    }

    pub(super) fn on_workers(self, on_workers: bool) -> Self {
        Self { on_workers, ..self }
    }

    pub(super) fn live(self, live: bool) -> Self {
        Self { live, ..self }
    }

    pub(super) fn run(&self) -> Report {
        let Settings { documents, batch_size, way, .. } = *self.settings;
        let source = slow_docs(&self.seam, documents, time(self.costs.source));
        match (way, self.costs.then) {
            (Way::PerBatch, _) => {
                let mut settings = self.engine_settings();
                settings.items_are_batches();
                let source = Chunks { source, size: batch_size };
                self.drive(|setup| setup.start::<PerBatch>(AsItIs(()), settings, source))
            }
            (_, None) => {
                self.drive(|setup| setup.start::<PerDoc<AsItIs>>(AsItIs(()), self.engine_settings(), source))
            }
            (_, Some(then)) => self.drive(|setup| {
                let then = FakeThen { seam: self.seam.clone(), cost: time(then) };
                setup.start::<PerDoc<FakeThen>>(then, self.engine_settings(), source)
            }),
        }
    }

    fn next<J: Job>(&self, run: &mut Caller<J>) -> Next<J> {
        #[cfg(feature = "stream")]
        if self.polled {
            run.never_wait();
            return polled::next_in(&self.world, run);
        }
        run.next()
    }

    fn engine_settings(&self) -> settings::Settings {
        let Settings { batch_size, workers, ahead, ramp, .. } = *self.settings;
        let workers = WorkerCount::Exactly(workers);
        settings::Settings {
            common: settings::Common { workers, ahead: Some(ahead), ..settings::Common::default() },
            batch_size,
            ramp,
            max_wait: self.live.then_some(Duration::from_millis(1)),
            on_workers: self.on_workers,
            ..settings::Settings::default()
        }
    }

    fn drive<J: Job>(&self, start: impl FnOnce(Setup) -> Result<Caller<J>, Error>) -> Report {
        let Costs { cpu, gpu_launch, gpu_item, caller, .. } = *self.costs;
        let device = || FakeDevice::new(&self.seam, self.settings.depth, time(gpu_launch), time(gpu_item));
        let setup = Setup {
            seam: self.seam.clone(),
            cpu_cost: time(cpu),
            begins_futures: false,
            devices: (0..self.settings.devices).map(|_| device()).collect(),
            sequential: self.settings.way == Way::Sequential,
        };
        let _this_thread = self.world.enter();
        let mut run = start(setup).expect("these settings can work");
        while let Some(delivery) = self.next(&mut run) {
            delivery.map(drop).expect("nothing fails");
            self.world.sleep(time(caller));
        }
        let report = run.report();
        assert_eq!(report.accounts.delivered, self.settings.documents, "{report}");
        report
    }
}

/// Batches of documents, as `per_batch` makes them.
struct Chunks<I> {
    source: I,
    size: usize,
}

impl<I: Iterator<Item = Doc>> Iterator for Chunks<I> {
    type Item = Vec<Doc>;

    fn next(&mut self) -> Option<Vec<Doc>> {
        let chunk: Vec<Doc> = self.source.by_ref().take(self.size).collect();
        (!chunk.is_empty()).then_some(chunk)
    }
}

fn time(seconds: f64) -> Duration {
    Duration::from_nanos(nanos(seconds))
}

pub(super) fn nanos(seconds: f64) -> u64 {
    (seconds * 1e9).round() as u64
}

/// Random costs of whole nanoseconds, from 50 microseconds a document on, so that workers take them one by one.
fn random_costs(random: &mut Random) -> Costs {
    let some = |random: &mut Random, most| if random.below(2) == 0 { 0.0 } else { random.seconds(1, most) };
    let costs = Costs::default()
        .cpu(random.seconds(50_000, 1_000_000))
        .gpu(some(random, 2_000_000), random.seconds(1_000, 200_000))
        .source(some(random, 200_000))
        .caller(some(random, 1_000_000));
    if random.below(3) == 0 { costs.then(random.seconds(1_000, 300_000)) } else { costs }
}

fn random_settings(random: &mut Random) -> Settings {
    Settings::new(random.below(120))
        .batch_size(1 + random.below(12) as usize)
        .workers(1 + random.below(8) as usize)
        .ahead(1 + random.below(4) as usize)
        .ramp(random.below(3) == 0)
        .depth(1 + random.below(3) as usize)
        .devices(1 + random.below(3) as usize)
}

/// Random settings in which no two threads that wake at the same moment decide what comes next.
fn random_case(random: &mut Random, way: Way) -> (Costs, Settings) {
    loop {
        let (mut costs, mut settings) = (random_costs(random), random_settings(random).way(way));
        if way != Way::PerDocument {
            costs.then = None;
            settings = settings.devices(1).ramp(way == Way::Sequential && settings.ramp);
        }
        if !left_to_chance(&costs, &settings) {
            return (costs, settings);
        }
    }
}

fn the_engine_does_what_was_predicted(seed: u64, cases: usize, way: Way) {
    let mut random = Random(seed);
    for _ in 0..cases {
        let (costs, settings) = random_case(&mut random, way);
        let predicted = predict(&costs, &settings).expect("these settings can work");
        let Prediction { seconds, first_result_s, tokens, .. } = predicted;
        let report = Replay::new(&costs, &settings).run();
        let came = (nanos(report.wall_s), nanos(report.first_result_s));
        assert_eq!((nanos(seconds), nanos(first_result_s)), came, "{costs:?} {settings:?}");
        assert_eq!(tokens, report.tokens.map_or(settings.documents, |tokens| tokens as u64));
        // Elsewhere what a run measures is more than it costs: a result waits for the next look at the device.
        if settings.depth == 1 && way == Way::PerDocument {
            assert!(
                (predicted.bound_s - report.bound_s).abs() < 2e-9,
                "{costs:?} {settings:?}
{report}"
            );
        }
    }
}

#[test]
fn the_engine_takes_what_was_predicted_on_random_settings() {
    the_engine_does_what_was_predicted(1, 400, Way::PerDocument);
}

#[test]
fn the_engine_takes_what_was_predicted_on_more_random_settings() {
    the_engine_does_what_was_predicted(2, 400, Way::PerDocument);
}

#[test]
fn a_batch_in_one_call_takes_what_was_predicted() {
    the_engine_does_what_was_predicted(3, 100, Way::PerBatch);
}

#[test]
fn the_halves_in_turn_take_what_was_predicted() {
    the_engine_does_what_was_predicted(4, 100, Way::Sequential);
}

#[test]
fn the_engine_refuses_what_a_prediction_refuses() {
    let fine = Settings::new(10).batch_size(8).workers(2);
    let most = crate::schedule::tokens::MOST_TOKENS;
    let cases = [
        (fine, None),
        (fine.batch_size(most / 2), None),
        (fine.batch_size(most / 2 + 1), Some("batch_size")),
        (fine.batch_size(0), Some("batch_size")),
        (fine.ahead(0), Some("ahead")),
        (fine.workers(1 << 12), None),
        (fine.workers((1 << 12) + 1), Some("workers")),
    ];
    let name = |checked: Result<(), Error>| match checked {
        Err(Error::Setting { name, .. }) => Some(name),
        _ => None,
    };
    let costs = Costs::default();
    for (settings, refused) in cases {
        let engine = Replay::new(&costs, &settings).engine_settings();
        assert_eq!(name(engine.check()), refused, "{settings:?}");
        assert_eq!(name(predict(&costs, &settings).map(drop)), refused, "{settings:?}");
    }
}
