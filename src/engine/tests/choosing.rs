//! What is chosen from measured costs, under manual time: against a grid of fixed settings.

use std::time::Duration;

use super::fake::{Doc, FakeDevice, PerDoc, Setup, docs, take};
use crate::engine::job::AsItIs;
use crate::engine::seam::{Seam, manual::World};
use crate::engine::settings::{Asked, Settings, WorkerCount};
use crate::observe::report::Report;

const MILLI: Duration = Duration::from_millis(1);

/// What a run costs: milliseconds of CPU work a document, of the device a batch and a document.
#[derive(Clone, Copy, Debug)]
struct Costs {
    cpu: f64,
    launch: f64,
    item: f64,
    documents: u64,
    workers: usize,
    depth: usize,
}

const AUTO: Asked = Asked { batch_size: true, ahead: true, ramp: true, ramp_is_set: true };

fn run(costs: Costs, settings: Settings<Doc>) -> Report {
    let world = World::new();
    let _this_thread = world.enter();
    let seam = Seam::Manual(world.clone());
    let device = FakeDevice::new(&seam, costs.depth, MILLI.mul_f64(costs.launch), MILLI.mul_f64(costs.item));
    let setup = Setup { seam, cpu_cost: MILLI.mul_f64(costs.cpu), devices: vec![device], sequential: false };
    let settings = Settings { workers: WorkerCount::Exactly(costs.workers), ..settings };
    let run = setup.start::<PerDoc<AsItIs>>(AsItIs(()), settings, docs(costs.documents));
    let mut run = run.expect("these settings can work");
    let outcome = take(&mut run, usize::MAX);
    assert_eq!(outcome.delivered(), Vec::from_iter(0..costs.documents));
    run.report()
}

fn best(costs: Costs) -> (f64, usize, usize, bool) {
    let mut best = (f64::INFINITY, 0, 0, false);
    for batch_size in [1, 2, 4, 8, 16, 32, 64] {
        for ahead in [1, 2, 4] {
            for ramp in [false, true] {
                let settings = Settings { batch_size, ahead: Some(ahead), ramp, ..Settings::default() };
                let wall = run(costs, settings).wall_s;
                if wall < best.0 {
                    best = (wall, batch_size, ahead, ramp);
                }
            }
        }
    }
    best
}

#[test]
fn explore() {
    for documents in [200, 800, 1600] {
        for workers in [1, 4, 8] {
            for (cpu, launch, item) in [
                (1.0, 20.0, 0.0),
                (1.0, 0.0, 2.0),
                (40.0, 8.0, 1.0),
                (8.0, 8.0, 1.0),
                (8.0, 1.0, 0.5),
                (1.0, 8.0, 1.0),
                (4.0, 40.0, 0.5),
            ] {
                for depth in [1, 2] {
                    let costs = Costs { cpu, launch, item, documents, workers, depth };
                    let start = std::time::Instant::now();
                    let best = best(costs);
                    let t = start.elapsed();
                    let auto = run(costs, Settings { batch_size: 64, asked: AUTO, ..Settings::default() });
                    let say: Vec<_> =
                        auto.decisions.iter().map(|d| format!("{} {}", d.setting, d.value)).collect();
                    println!(
                        "{:.3} {costs:?} best {best:?} auto {:.3} batches {} {say:?} {t:?}",
                        auto.wall_s / best.0,
                        auto.wall_s,
                        auto.devices[0].batches
                    );
                }
            }
        }
    }
}
