//! Halves in a row under manual time: what their report says where the bottleneck is known.

use std::time::Duration;

use super::Pipeline;
use crate::engine::seam::manual::World;
use crate::error::Cause;
use crate::observe::bound::Bottleneck;
use crate::observe::report::Report;

/// What takes time, in milliseconds a document: the source, each half's workers and device, and the caller.
#[derive(Clone, Copy, Debug, Default)]
struct Costs {
    source: u64,
    cpu: [u64; 3],
    gpu: [u64; 3],
    caller: u64,
}

const DOCUMENTS: u64 = 120;
const BATCH: usize = 4;

/// A CPU half that waits so long for each document.
fn waits(world: &World, millis: u64) -> impl Fn() + Send + Sync + 'static {
    let world = world.clone();
    move || world.sleep(Duration::from_millis(millis))
}

/// A GPU half that takes so long for each document.
fn device(world: &World, millis: u64) -> impl FnMut(&[u64]) -> Result<Vec<u64>, Cause> + Send + 'static {
    let world = world.clone();
    move |batch| {
        world.sleep(Duration::from_millis(millis * batch.len() as u64));
        Ok(batch.to_vec())
    }
}

impl Costs {
    /// The report of three halves in a row, asked of the run or of its handle.
    fn in_a_row(self, by_handle: bool) -> Report {
        let world = World::new();
        world.with_faces(|| {
            let [first, second, third] = self.cpu.map(|cost| waits(&world, cost));
            let [one, two, three] = self.gpu.map(|cost| device(&world, cost));
            let pause = waits(&world, self.source);
            let source = (0..DOCUMENTS).inspect(move |_| pause());
            let first = move |number: &mut u64| {
                first();
                Ok::<_, Cause>(*number)
            };
            let second = move |_: &mut u64, row: &u64| {
                second();
                Ok::<_, Cause>(*row)
            };
            let third = move |_: &mut u64, row: &u64| {
                third();
                Ok::<_, Cause>(*row)
            };
            let halves = Pipeline::new(first, one).workers(2).batch_size(BATCH);
            let halves = halves.then_gpu(second, two).last_half(|half| half.batch_size(BATCH));
            let halves = halves.then_gpu(third, three).last_half(|half| half.batch_size(BATCH));
            let mut run = halves.run(source);
            let mut documents = 0;
            for batch in run.by_ref() {
                documents += batch.expect("nothing fails").len() as u64;
                world.sleep(Duration::from_millis(self.caller * BATCH as u64));
            }
            assert_eq!(documents, DOCUMENTS);
            if by_handle { run.handle().report() } else { run.report() }
        })
    }
}

#[test]
fn the_report_of_halves_in_a_row_names_the_slowest_half_and_what_is_slow_there() {
    let small = Costs { source: 0, cpu: [2; 3], gpu: [1; 3], caller: 1 };
    let cpu = |half: usize| {
        let mut cpu = small.cpu;
        cpu[half] = 20;
        Costs { cpu, ..small }
    };
    let gpu = |half: usize| {
        let mut gpu = small.gpu;
        gpu[half] = 10;
        Costs { gpu, ..small }
    };
    let cells = [
        (cpu(0), Bottleneck::Cpu, 1),
        (cpu(1), Bottleneck::Cpu, 2),
        (cpu(2), Bottleneck::Cpu, 3),
        (gpu(0), Bottleneck::Gpu, 1),
        (gpu(1), Bottleneck::Gpu, 2),
        (gpu(2), Bottleneck::Gpu, 3),
        (Costs { source: 10, ..small }, Bottleneck::Source, 1),
        (Costs { caller: 10, ..small }, Bottleneck::Caller, 3),
    ];
    for (costs, bottleneck, half) in cells {
        for by_handle in [false, true] {
            let report = costs.in_a_row(by_handle);
            assert_eq!(report.bottleneck, bottleneck, "{costs:?}\n{report}");
            assert!(report.advice.starts_with(&format!("Half {half} of 3")), "{costs:?}\n{report}");
            let all = report.fill_s + report.busy_s + report.stalls_s + report.drain_s;
            assert!((all - report.wall_s).abs() < 1e-6, "the parts add up\n{report}");
            assert!(report.above_bound_percent < 15.0, "{costs:?}\n{report}");
            assert_eq!(report.before.len(), 2);
        }
    }
}

#[test]
fn what_a_half_in_a_row_promises_of_a_change_is_what_it_brings() {
    let slow = Costs { source: 0, cpu: [2; 3], gpu: [1, 10, 1], caller: 0 };
    let report = slow.in_a_row(false);
    let faster = Costs { gpu: [1, 5, 1], ..slow }.in_a_row(false).wall_s;
    let promised = report.changes.iter().find(|change| change.what.to_string().contains("GPU"));
    let promised = promised.unwrap_or_else(|| panic!("a faster device helps\n{report}")).seconds;
    assert!(
        (promised / faster - 1.0).abs() < 0.05,
        "{promised} was promised, and it took {faster}\n{report}"
    );
}
