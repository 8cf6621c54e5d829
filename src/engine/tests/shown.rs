//! How far a run has come under manual time: what is shown, when, and how it ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fake::{Doc, FakeDevice, Fault, PerDoc, Setup, docs, take};
use crate::engine::outlet::caller::Caller;
use crate::engine::road::job::AsItIs;
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Common, Settings, WorkerCount};
use crate::engine::watch::{EVERY, Redraw};
use crate::observe::progress::{Progress, Show};

const SECOND: Duration = Duration::from_secs(1);

/// What was shown: when, what, and whether it was the last time, after which ending.
type Shown = Arc<Mutex<Vec<(Duration, Progress, Option<bool>)>>>;

struct Note(World, Shown);

impl Note {
    fn down(&self, progress: &Progress, end: Option<bool>) {
        self.1.lock().unwrap().push((self.0.now(), *progress, end));
    }
}

impl Show for Note {
    fn show(&mut self, progress: &Progress) {
        self.down(progress, None);
    }

    fn end(&mut self, progress: &Progress, finished: bool) {
        self.down(progress, Some(finished));
    }
}

/// Two workers at a quarter of a second, a device at 2.04 s a batch of four, so that no batch ends when a
/// drawing is due.
fn start(
    world: &World,
    workers: usize,
    documents: impl Iterator<Item = Doc> + Send + 'static,
) -> (Caller<PerDoc<AsItIs>>, Shown) {
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, 1, SECOND / 25, SECOND / 2);
    let setup =
        Setup { devices: vec![device], seam, cpu_cost: SECOND / 4, begins_futures: false, sequential: false };
    let workers = WorkerCount::Exactly(workers);
    let settings = Settings {
        common: Common { workers, total: Some(16), ..Common::default() },
        batch_size: 4,
        ..Settings::default()
    };
    let mut run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, documents).expect("this can work");
    let shown = Shown::default();
    let note = Box::new(Note(world.clone(), shown.clone()));
    run.checks.redraw = Some(Redraw::new(note));
    (run, shown)
}

#[test]
fn a_bar_moves_on_through_a_slow_batch_and_not_more_often_than_it_may() {
    let world = World::new();
    let _this_thread = world.enter();
    let (mut run, shown) = start(&world, 2, docs(16));
    take(&mut run, usize::MAX);
    let shown = shown.lock().unwrap();
    let drawn: Vec<Duration> = shown.iter().filter(|(.., end)| end.is_none()).map(|(at, ..)| *at).collect();
    let ticks = (0..drawn.len() as u32).map(|tick| tick * EVERY);
    assert_eq!(drawn, Vec::from_iter(ticks));
    assert_eq!(drawn.len(), 87, "0.5 s for the first batch and 8.16 s on the device");
}

#[test]
fn what_is_shown_is_how_far_the_run_has_come() {
    let world = World::new();
    let _this_thread = world.enter();
    let (mut run, shown) = start(&world, 2, docs(16));
    take(&mut run, usize::MAX);
    let shown = shown.lock().unwrap();
    let (at, half, _) = *shown.iter().find(|(_, progress, _)| progress.delivered == 8).expect("halfway");
    assert_eq!((at, half.total), (46 * EVERY, Some(16)), "the next drawing after 4.58 s");
    assert!(half.eta.expect("it is known").abs_diff(at) < Duration::from_micros(1), "as long again");
    assert_eq!((half.cpu_busy, half.device_busy), (4.0 / (2.0 * 4.6), Some(4.08 / 4.6)));
    let (_, end, finished) = shown.last().expect("the end");
    assert_eq!((end.delivered, end.in_line, end.eta), (16, 0, Some(Duration::ZERO)));
    assert_eq!(*finished, Some(true));
}

#[test]
fn what_is_prepared_stands_in_line_until_a_device_takes_it() {
    let world = World::new();
    let _this_thread = world.enter();
    let (mut run, shown) = start(&world, 2, docs(16));
    take(&mut run, usize::MAX);
    let shown = shown.lock().unwrap();
    let in_line = |tenths: u32| shown.iter().find(|(at, ..)| *at == tenths * EVERY).expect("drawn").1;
    assert_eq!((in_line(4).in_line, in_line(8).in_line, in_line(24).in_line), (2, 2, 12));
    assert_eq!(in_line(8).tokens, Some(run.ledger().tokens.total()));
}

#[test]
fn every_ending_is_shown_once_and_nothing_after_it() {
    let fails = |document: Doc| Doc { fault: Fault::CpuFails, ..document };
    for workers in [0, 2] {
        for (most, fault, finished) in
            [(usize::MAX, false, true), (1, false, false), (usize::MAX, true, false)]
        {
            let world = World::new();
            let _this_thread = world.enter();
            let last =
                move |document: Doc| if fault && document.id == 15 { fails(document) } else { document };
            let (mut run, shown) = start(&world, workers, docs(16).map(last));
            take(&mut run, most);
            run.stop();
            assert!(run.next().is_none());
            let ends: Vec<_> = shown.lock().unwrap().iter().map(|(.., end)| *end).collect();
            assert_eq!(ends.iter().flatten().collect::<Vec<_>>(), [&finished], "{workers}, {most}, {fault}");
            assert_eq!(ends.last(), Some(&Some(finished)));
        }
    }
}
