//! The report of every kind of run names what was planted as its bottleneck, and what it promises of a change is what
//! that brings: under manual time, on machines with few cores too.
//!
//! This grid is what a right report is: ways to run, ways to take results, and bottlenecks.

use std::time::Duration;

use super::predicted::Replay;
use super::promised::changed;
use crate::engine::seam::manual::Machine;
use crate::observe::bound::Bottleneck;
use crate::observe::changes::What;
use crate::observe::predict::{Costs, Settings, Way};
use crate::observe::report::Report;

/// What makes a run slow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Planted {
    Source,
    /// A CPU half that waits, for a server or a disk.
    Waiting,
    /// A CPU half that works, with cores to spare, and on all of them.
    Working,
    AllCores,
    Device,
    /// A device that computes in one thread, with cores to spare.
    OneThread,
    /// Devices and workers that fill the cores together.
    BothHalves,
    Caller,
}

const ALL: [Planted; 8] = [
    Planted::Source,
    Planted::Waiting,
    Planted::Working,
    Planted::AllCores,
    Planted::Device,
    Planted::OneThread,
    Planted::BothHalves,
    Planted::Caller,
];

/// A run whose bottleneck is known.
#[derive(Clone, Copy, Debug)]
struct Cell {
    planted: Planted,
    costs: Costs,
    settings: Settings,
    machine: Machine,
    polled: bool,
}

/// All costs but those that are planted.
const SMALL: f64 = 0.001;
/// Beside a launch of a device that costs as much.
const HANDS_OVER: Duration = Duration::from_micros(300);

impl Cell {
    /// On two cores, where it is not said otherwise.
    fn new(planted: Planted, settings: Settings, then: bool, polled: bool) -> Self {
        let mut costs = Costs::default().cpu(SMALL).gpu(SMALL, SMALL / 4.0).caller(SMALL);
        if then {
            costs = costs.then(SMALL);
        }
        // The thread of a device of its own works a little too.
        let two = Machine { cores: 2, hands_over: HANDS_OVER, ..Machine::LARGE };
        let works = Machine { cpu_works: true, ..two };
        let (costs, machine) = match planted {
            Planted::Source => (costs.source(0.02), works),
            Planted::Waiting => (costs.cpu(0.04), two),
            Planted::Working => (costs.cpu(0.04), Machine { cores: 8, ..works }),
            Planted::AllCores => (costs.cpu(0.04), works),
            Planted::Device => (costs.gpu(0.01, 0.02), works),
            Planted::OneThread => (costs.gpu(0.01, 0.02), Machine { cores: 8, device_works: true, ..works }),
            Planted::BothHalves => (costs.cpu(0.01).gpu(0.0, 0.02), Machine { device_works: true, ..works }),
            Planted::Caller => (costs.caller(0.5), works),
        };
        Self { planted, costs, settings, machine, polled }
    }

    fn expected(&self) -> Bottleneck {
        match self.planted {
            Planted::Source => Bottleneck::Source,
            Planted::Waiting | Planted::Working | Planted::AllCores => Bottleneck::Cpu,
            Planted::Device | Planted::OneThread => Bottleneck::Gpu,
            Planted::BothHalves => Bottleneck::Cores,
            Planted::Caller => Bottleneck::Caller,
        }
    }

    fn run(&self, costs: Costs, settings: Settings) -> Report {
        Replay::on(&costs, &settings, self.machine).polled(self.polled).run()
    }

    /// The report names the bottleneck, offers nothing that cannot be, and keeps its promises.
    fn check(&self) {
        let report = self.run(self.costs, self.settings);
        assert_eq!(report.bottleneck, self.expected(), "{self:?}\n{report}");
        assert!(report.bound_s <= report.wall_s, "no schedule beats the bound\n{self:?}\n{report}");
        self.offers_what_can_be(&report);
        self.says_one_thing(&report);
        for change in &report.changes {
            let (costs, settings) = changed(change.what, self.costs, self.settings);
            let made = self.run(costs, settings).wall_s;
            let off = (change.seconds / made - 1.0).abs();
            assert!(off <= 0.05, "{}: it took {made}\n{self:?}\n{report}", change.what);
        }
    }

    fn offers_what_can_be(&self, report: &Report) {
        let offers = |what: What| report.changes.iter().any(|change| change.what == what);
        let workers = What::Workers(self.settings.workers + 1);
        let fits = !self.machine.cpu_works || self.settings.workers < self.machine.cores;
        assert!(fits || !offers(workers), "there is no core for it\n{self:?}\n{report}");
        let one_batch_at_a_time = self.machine.device_works;
        assert!(!one_batch_at_a_time || !offers(What::Depth(self.settings.depth + 1)), "{self:?}\n{report}");
        if self.settings.way != Way::PerDocument {
            return;
        }
        let named = match self.planted {
            Planted::Waiting | Planted::Working => Some("workers("),
            Planted::OneThread => Some("of these devices"),
            Planted::Device => Some("a GPU 2 × as fast"),
            _ => None,
        };
        let told = named.is_none_or(|named| report.advice.contains(named));
        assert!(told, "what helps is named\n{self:?}\n{report}");
    }

    /// That nothing else helps is not said beside a change that does.
    fn says_one_thing(&self, report: &Report) {
        let only = report.advice.contains("only a faster device") || report.advice.contains("more cores");
        let change =
            report.advice.contains("By the costs of this run") && !report.advice.contains("a GPU 2 ×");
        assert!(!(only && change), "{self:?}\n{report}");
    }
}

/// Each bottleneck, iterated and polled.
fn all(settings: Settings, then: bool, but: &[Planted]) {
    for planted in ALL.into_iter().filter(|planted| !but.contains(planted)) {
        for polled in if cfg!(feature = "stream") { vec![false, true] } else { vec![false] } {
            Cell::new(planted, settings, then, polled).check();
        }
    }
}

fn settings() -> Settings {
    Settings::new(400).workers(2).batch_size(8)
}

#[test]
fn document_by_document_the_report_is_right() {
    all(settings(), false, &[Planted::BothHalves]);
    all(settings().ramp(true), false, &[Planted::BothHalves]);
    // Two devices that compute, and two workers, on two cores.
    all(settings().devices(2), false, &[Planted::OneThread]);
}

#[test]
fn with_work_on_the_rows_the_report_is_right() {
    all(settings(), true, &[Planted::BothHalves]);
}

#[test]
fn with_several_batches_on_a_device_the_report_is_right() {
    all(settings().depth(2), false, &[Planted::BothHalves, Planted::OneThread]);
}

#[test]
fn where_a_batch_is_one_call_the_report_is_right() {
    all(settings().way(Way::PerBatch), false, &[Planted::BothHalves]);
}

#[test]
fn where_the_workers_run_the_devices_full_cores_are_named_and_nothing_is_promised() {
    let costs = Costs::default().cpu(0.01).gpu(0.0, 0.02);
    let machine = Machine { cores: 2, cpu_works: true, device_works: true, ..Machine::LARGE };
    for devices in [1, 2] {
        let settings = settings().devices(devices);
        let report = Replay::on(&costs, &settings, machine).on_workers(true).run();
        // One device is run by one worker at a time, and two fill both cores.
        let named = if devices == 1 { Bottleneck::Gpu } else { Bottleneck::Cores };
        assert_eq!((report.bottleneck, report.changes.len()), (named, 0), "{report}");
        assert!(report.above_bound_percent < 5.0, "{report}");
    }
}

#[test]
fn a_live_source_with_nothing_to_give_is_no_bottleneck() {
    let costs = Costs::default().source(0.1).cpu(SMALL).gpu(SMALL, SMALL);
    for polled in [false, cfg!(feature = "stream")] {
        let settings = settings();
        let machine = Machine { cores: 2, cpu_works: true, ..Machine::LARGE };
        let report = Replay::on(&costs, &settings, machine).live(true).polled(polled).run();
        assert_eq!(report.bottleneck, Bottleneck::Idle, "{report}");
        assert!(report.advice.contains("nothing to change"), "{report}");
        let latency = report.latency.expect("the source is live");
        // A lone document waits for nobody: its two halves are all there is.
        assert_eq!(latency.whole, latency.without_wait, "{report}");
        assert!((latency.whole.p99_s / (3.0 * SMALL) - 1.0).abs() < 0.04, "{report}");
    }
}

#[test]
fn the_time_that_the_stages_took_to_open_is_told() {
    let report = Replay::new(&Costs::default().cpu(SMALL), &settings()).run();
    assert!(!report.to_string().contains("open "), "{report}");
    let slow = Report { open_s: 5.3, ..report };
    assert!(slow.to_string().contains("open   5.300 s before that"), "{slow}");
}
