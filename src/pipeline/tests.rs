//! Halves in a row under manual time: what their report says where the bottleneck is known.

use std::time::Duration;

use serde_json::Value;

use super::{Pipeline, Run};
use crate::engine::seam::manual::World;
use crate::error::Cause;
use crate::observe::bound::Bottleneck;
use crate::stage::{GpuStage, StageError};

/// What takes time, in milliseconds a document: the source, each half's workers and device, and the caller.
#[derive(Clone, Copy, Debug, Default)]
struct Costs {
    source: u64,
    cpu: [u64; 3],
    gpu: [u64; 3],
    caller: u64,
    /// Until a device is open.
    opening: [u64; 3],
}

const DOCUMENTS: u64 = 120;
const BATCH: usize = 4;

/// A CPU half that waits so long for each document.
fn waits(world: &World, millis: u64) -> impl Fn() + Send + Sync + 'static {
    let world = world.clone();
    move || world.sleep(Duration::from_millis(millis))
}

/// A GPU half that takes so long to be opened, and for each document.
struct Device {
    world: World,
    opening: u64,
    millis: u64,
}

impl GpuStage<u64> for Device {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn open(&mut self, _: usize) -> Result<(), Cause> {
        self.world.sleep(Duration::from_millis(self.opening));
        Ok(())
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        self.world.sleep(Duration::from_millis(self.millis * batch.len() as u64));
        Ok(batch.to_vec())
    }

    fn try_collect(&mut self, rows: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        Ok(Some(std::mem::take(rows)))
    }
}

impl Costs {
    /// What is asked of a run of three halves in a row when it has ended.
    fn in_a_row<R>(self, ask: impl FnOnce(&Run<u64, Vec<u64>>) -> R) -> R {
        let world = World::new();
        world.with_faces(|| {
            let [first, second, third] = self.cpu.map(|cost| waits(&world, cost));
            let device = |half: usize| Device {
                world: world.clone(),
                opening: self.opening[half],
                millis: self.gpu[half],
            };
            let [one, two, three] = [0, 1, 2].map(device);
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
            let halves = Pipeline::new(first, one).workers(2).batch_size(BATCH).trace(true);
            let halves = halves.then_gpu(second, two).last_half(|half| half.batch_size(BATCH));
            let halves = halves.then_gpu(third, three).last_half(|half| half.batch_size(BATCH));
            let mut run = halves.run(source);
            let mut documents = 0;
            for batch in run.by_ref() {
                documents += batch.expect("nothing fails").len() as u64;
                world.sleep(Duration::from_millis(self.caller * BATCH as u64));
            }
            assert_eq!(documents, DOCUMENTS);
            ask(&run)
        })
    }
}

#[test]
fn the_report_of_halves_in_a_row_names_the_slowest_half_and_what_is_slow_there() {
    let small = Costs { source: 0, cpu: [2; 3], gpu: [1; 3], caller: 1, opening: [0; 3] };
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
        let both = costs.in_a_row(|run| [run.report(), run.handle().report()]);
        for report in both {
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
    let slow = Costs { source: 0, cpu: [2; 3], gpu: [1, 10, 1], caller: 0, opening: [0; 3] };
    let report = slow.in_a_row(|run| run.report());
    let faster = Costs { gpu: [1, 5, 1], ..slow }.in_a_row(|run| run.report().wall_s);
    let promised = report.changes.iter().find(|change| change.what.to_string().contains("GPU"));
    let promised = promised.unwrap_or_else(|| panic!("a faster device helps\n{report}")).seconds;
    assert!(
        (promised / faster - 1.0).abs() < 0.05,
        "{promised} was promised, and it took {faster}\n{report}"
    );
}

#[test]
fn the_recording_of_halves_in_a_row_has_them_all_by_one_clock() {
    let costs = Costs { source: 0, cpu: [2; 3], gpu: [1; 3], caller: 0, opening: [0, 50, 20] };
    let (timeline, progress) =
        costs.in_a_row(|run| (run.timeline().expect("every half is recorded"), run.progress()));
    let mut trace = Vec::new();
    timeline.write_trace(&mut trace).expect("memory can be written");
    let trace: Value = serde_json::from_slice(&trace).expect("it is JSON");
    let events = trace["traceEvents"].as_array().expect("it has events");
    let process = |half: usize| {
        let name = format!("gapless, half {half}");
        let named = events.iter().find(|event| event["args"]["name"] == name.as_str());
        &named.unwrap_or_else(|| panic!("{name} is named"))["pid"]
    };
    let mut submitted = 0.0;
    for half in 1..=3 {
        let of = |what: &'static str| {
            events.iter().filter(move |event| event["pid"] == *process(half) && event["name"] == what)
        };
        let documents: u64 = of("prepare").filter_map(|event| event["args"]["items"].as_u64()).sum();
        assert_eq!(documents, DOCUMENTS, "half {half}");
        let begins = |what| of(what).filter_map(|event| event["ts"].as_f64()).fold(f64::MAX, f64::min);
        assert!(begins("prepare") >= submitted, "half {half} begins when the one before gave something");
        submitted = begins("submit");
    }
    let picture = timeline.svg();
    for row in ["1: worker 0", "2: device", "3: worker 1"] {
        assert_eq!(picture.matches(&format!(">{row}<")).count(), 2, "{row} is in both charts\n{picture}");
    }
    let in_turns = 3 * DOCUMENTS * (2 / 2 + 1);
    assert!(picture.contains(&format!("One after the other: {in_turns} ms")), "{picture}");
    // The first half begins 70 ms before the last, which takes 2 ms a document at least, with two workers.
    assert!(progress.elapsed >= Duration::from_millis(70 + DOCUMENTS), "{progress:?}");
    assert_eq!(progress.per_second, DOCUMENTS as f64 / progress.elapsed.as_secs_f64());
}
