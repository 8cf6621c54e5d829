//! What is chosen from measured costs, under manual time: against the best of a grid of fixed settings.
//!
//! What fixed settings take is predicted: another test shows that the engine takes that, to the nanosecond.

use std::time::Duration;

use super::fake::{Doc, FakeDevice, PerDoc, Setup, docs, slow_docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::AsItIs;
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Asked, Common, Settings, WorkerCount};
use crate::observe::decision::Decision;
use crate::observe::predict::tests::Random;
use crate::observe::predict::{self, predict};
use crate::observe::report::Report;

const ALL: Asked = Asked { batch_size: true, ahead: true, ramp: true, ramp_is_set: true };
const BATCH_SIZE: Asked = Asked { batch_size: true, ahead: false, ramp: false, ramp_is_set: false };

/// What a run costs, in microseconds, who does it, and the largest batch.
#[derive(Clone, Copy, Debug)]
struct Case {
    source: u64,
    cpu: u64,
    launch: u64,
    item: u64,
    documents: u64,
    workers: usize,
    depth: usize,
    devices: usize,
    largest: usize,
}

const CASE: Case = Case {
    source: 0,
    cpu: 1000,
    launch: 0,
    item: 0,
    documents: 1600,
    workers: 4,
    depth: 1,
    devices: 1,
    largest: 64,
};

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

impl Case {
    fn start(
        self,
        world: &World,
        settings: Settings,
        source: impl Iterator<Item = Doc> + Send + 'static,
    ) -> Caller<PerDoc<AsItIs>> {
        let seam = Seam::Manual(world.clone());
        let device = || FakeDevice::new(&seam, self.depth, micros(self.launch), micros(self.item));
        let devices = (0..self.devices).map(|_| device()).collect();
        let workers = WorkerCount::Exactly(self.workers);
        let settings =
            Settings { batch_size: self.largest, ..settings.told(|common| common.workers = workers) };
        let setup =
            Setup { seam, cpu_cost: micros(self.cpu), begins_futures: false, devices, sequential: false };
        setup.start(AsItIs(()), settings, source).expect("these settings can work")
    }

    /// Runs the real engine to its end; gives the sizes of the batches too.
    fn run(self, asked: Asked) -> (Report, Vec<usize>) {
        let world = World::new();
        let _this_thread = world.enter();
        let source = slow_docs(&Seam::Manual(world.clone()), self.documents, micros(self.source));
        let mut run = self.start(&world, Settings { asked, ..Settings::default() }, source);
        let outcome = take(&mut run, usize::MAX);
        assert_eq!(outcome.delivered(), Vec::from_iter(0..self.documents));
        (run.report(), outcome.batches.iter().map(Vec::len).collect())
    }

    /// The seconds of the best fixed settings, and what they are.
    fn best(self) -> (f64, predict::Settings) {
        let seconds = |micros: u64| micros as f64 / 1e6;
        let costs = predict::Costs::default()
            .source(seconds(self.source))
            .cpu(seconds(self.cpu))
            .gpu(seconds(self.launch), seconds(self.item));
        let all = predict::Settings::new(self.documents)
            .workers(self.workers)
            .depth(self.depth)
            .devices(self.devices);
        let sizes = (0..).map(|power| 1 << power).take_while(|size| *size <= self.largest);
        let grid = sizes.flat_map(|size| [1, 2, 4].map(|ahead| all.batch_size(size).ahead(ahead)));
        let grid = grid.flat_map(|settings| [settings, settings.ramp(true)]);
        let wall = |settings| predict(&costs, &settings).expect("these can work").seconds;
        let walls = grid.map(|settings| (wall(settings), settings));
        walls.min_by(|(one, _), (other, _)| one.total_cmp(other)).expect("the grid has settings")
    }

    /// A run that chooses takes at most 5 % longer than the best fixed settings, and so much beyond that.
    fn check(self, beyond: u64) {
        let (best, settings) = self.best();
        let (report, _) = self.run(ALL);
        let most = 1.05 * best + beyond as f64 / 1e6;
        assert!(report.wall_s <= most, "{self:?}: {best} s with {settings:?}, and {report}");
    }

    fn random(random: &mut Random, documents: u64, largest: usize) -> Self {
        let or_none = |random: &mut Random, most| if random.below(5) == 0 { 0 } else { any(random, most) };
        Self {
            source: if random.below(4) == 0 { any(random, 5_000) } else { 0 },
            cpu: 100 + any(random, 20_000),
            launch: or_none(random, 50_000),
            item: or_none(random, 5_000),
            documents,
            workers: 1 + random.below(8) as usize,
            depth: 1 + random.below(2) as usize,
            devices: 1,
            largest,
        }
    }
}

/// A number from 10 to `most`, small ones as likely as large ones.
fn any(random: &mut Random, most: u64) -> u64 {
    let span = (most as f64 / 10.0).ln();
    (10.0 * (span * random.below(1000) as f64 / 1000.0).exp()) as u64
}

/// Costs a document on a worker, a batch and a document on the device, in microseconds: launches alone,
/// documents alone, both, and a CPU half that is slower than either.
const COSTS: &[(u64, u64, u64)] = &[
    (1_000, 20_000, 0),
    (1_000, 0, 2_000),
    (1_000, 8_000, 1_000),
    (4_000, 40_000, 500),
    (8_000, 8_000, 1_000),
    (8_000, 1_000, 500),
    (40_000, 8_000, 1_000),
];

#[test]
fn what_is_chosen_is_within_five_percent_of_the_best_fixed_settings() {
    for (documents, largest) in [(200, 8), (800, 32), (2000, 64)] {
        for workers in [1, 3, 8] {
            for &(cpu, launch, item) in COSTS {
                Case { cpu, launch, item, documents, workers, largest, ..CASE }.check(0);
            }
        }
    }
}

#[test]
fn it_is_so_for_random_costs_and_for_two_devices() {
    let mut random = Random(7);
    for _ in 0..40 {
        let (documents, devices) = (1600 + random.below(400), 1 + random.below(2) as usize);
        // 25 of the largest batches for each device.
        let case = Case::random(&mut random, documents, 64 / devices);
        Case { devices, ..case }.check(0);
    }
}

#[test]
fn a_shorter_run_pays_one_small_batch_and_the_wait_for_eight_documents() {
    let mut random = Random(11);
    for _ in 0..100 {
        let documents = 1 + random.below(600);
        let case = Case::random(&mut random, documents, 64);
        let supply = case.source.max(case.cpu / case.workers as u64);
        case.check(case.launch + case.item + 8 * supply);
    }
}

/// The last decision on this setting.
fn decided<'a>(report: &'a Report, setting: &str) -> &'a Decision {
    let last = report.decisions.iter().rfind(|decision| decision.setting == setting);
    last.unwrap_or_else(|| panic!("nothing was decided on {setting}: {report}"))
}

#[test]
fn every_decision_stands_in_the_report_with_its_numbers() {
    let (report, _) = Case { launch: 20_000, ..CASE }.run(ALL);
    let text = report.to_string();
    let reason = "a batch takes the device 20.00 ms and 0.00 µs a document, the workers give one every 250.00 µs: the \
                  device is the bottleneck, and the largest batch shares its launch best";
    assert!(text.contains(&format!("  chosen batch_size 64: {reason} (after 0.0")), "{text}");
    assert!(text.contains("  chosen ahead 1: the slowest document took 1.00 ms"), "{text}");
    assert!(text.contains("  chosen ramp false: small batches up to 64 cost the device"), "{text}");
    assert_eq!(report.decisions.len(), 3, "costs that stay are decided on once: {text}");
}

#[test]
fn the_line_cuts_at_the_size_that_was_chosen() {
    let (report, sizes) = Case { cpu: 40_000, launch: 40_000, item: 1000, ..CASE }.run(BATCH_SIZE);
    let chosen: usize = decided(&report, "batch_size").value.parse().unwrap();
    assert_eq!(chosen, 8, "{report}");
    let (first, later) = sizes.split_at(8);
    assert_eq!(first[0], 1, "the device starts with the first document");
    assert!(first.iter().all(|size| *size <= 64));
    let (_last, later) = later.split_last().unwrap();
    assert!(later.iter().all(|size| *size == chosen), "{sizes:?}");
}

#[test]
fn every_device_that_has_nothing_to_do_gets_a_small_batch_and_not_the_first_alone() {
    let (_, sizes) = Case { devices: 3, launch: 1_000_000, ..CASE }.run(BATCH_SIZE);
    assert_eq!(sizes[..4], [1, 2, 4, 64], "all three are busy before a batch is full");
}

#[test]
fn a_batch_size_that_is_set_is_never_exceeded_by_a_chosen_ramp() {
    let only_ramp = Asked { ramp: true, ramp_is_set: true, ..Asked::default() };
    let (report, sizes) = Case { largest: 16, item: 2000, ..CASE }.run(only_ramp);
    assert_eq!(decided(&report, "ramp").value, "true");
    assert_eq!((sizes[0], sizes.iter().max()), (1, Some(&16)));
    let full = sizes.iter().position(|size| *size == 16).unwrap();
    let (_last, after) = sizes[full..].split_last().unwrap();
    assert!(after.iter().all(|size| *size == 16), "no small batch after a full one: {sizes:?}");
}

#[test]
fn only_ahead_that_is_chosen_moves_no_cut() {
    let only_ahead = Asked { ahead: true, ..Asked::default() };
    let (report, sizes) = Case { largest: 16, item: 500, ..CASE }.run(only_ahead);
    assert_eq!(decided(&report, "ahead").value, "1", "{report}");
    assert_eq!(sizes, [16; 100]);
}

#[test]
fn costs_that_become_others_are_decided_on_again_and_no_more() {
    let world = World::new();
    let _this_thread = world.enter();
    let clock = world.clone();
    // The first 200 documents come every 20 ms, twice what a batch costs; the others at once.
    let pace = move |document: &Doc| clock.sleep(micros(if document.id < 200 { 20_000 } else { 0 }));
    let case = Case { launch: 10_000, ..CASE };
    let settings = Settings { asked: BATCH_SIZE, ..Settings::default() };
    let mut run = case.start(&world, settings, docs(20_000).inspect(pace));
    let outcome = take(&mut run, usize::MAX);
    let report = run.report();
    let sizes: Vec<_> = report.decisions.iter().filter(|decision| decision.setting == "batch_size").collect();
    assert_eq!(sizes[0].value, "1", "{report}");
    let last: usize = decided(&report, "batch_size").value.parse().unwrap();
    assert!(last >= 32 && sizes.len() <= 3, "{report}");
    let (_last, before) = outcome.batches.split_last().unwrap();
    assert_eq!(before.last().map(Vec::len), Some(last));
}

#[test]
fn a_device_that_becomes_slow_is_learnt_anew() {
    let world = World::new();
    let _this_thread = world.enter();
    let seam = Seam::Manual(world.clone());
    // A document every millisecond: the device keeps up alone, and then with sixteen in a batch.
    let device = FakeDevice { slow_from: 500, ..FakeDevice::new(&seam, 1, micros(700), Duration::ZERO) };
    let settings = Settings {
        common: Common { workers: WorkerCount::Exactly(1), ..Common::default() },
        batch_size: 64,
        asked: BATCH_SIZE,
        ..Settings::default()
    };
    let setup = Setup {
        seam,
        cpu_cost: micros(1000),
        begins_futures: false,
        devices: vec![device],
        sequential: false,
    };
    let mut run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(4000)).expect("these can work");
    take(&mut run, usize::MAX);
    let report = run.report();
    let sizes = report.decisions.iter().filter(|decision| decision.setting == "batch_size");
    assert_eq!(sizes.map(|decision| decision.value.as_str()).collect::<Vec<_>>(), ["1", "16"], "{report}");
    assert!(
        decided(&report, "batch_size").reason.contains("takes the device 7.00 ms and 0.00 µs"),
        "{report}"
    );
}
