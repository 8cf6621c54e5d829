//! One engine: inline, on threads and sequential give the same batches, bit for bit.

use std::sync::{Arc, Mutex, mpsc};
use std::thread::{ThreadId, current};
use std::time::Duration;

use gapless::{AtMost, Cause, LastBatch, OnFailure, Pipeline, Run};

use crate::support::{double, each_row, finish, finish_after, pipeline_of, planted_panic, plus_one, watch};

#[test]
fn with_no_workers_everything_runs_in_the_caller() {
    let _watch = watch();
    let threads: Arc<Mutex<Vec<ThreadId>>> = Arc::default();
    let note = || {
        let threads = threads.clone();
        move || threads.lock().unwrap().push(current().id())
    };
    let (in_source, in_cpu, in_gpu, in_then) = (note(), note(), note(), note());
    let source = (0..20).inspect(move |_| in_source());
    let cpu = move |document: &mut u64| {
        in_cpu();
        double(document)
    };
    let gpu = move |batch: &[u64]| {
        in_gpu();
        plus_one(batch)
    };
    let then = move |_: &mut u64, row: &u64| {
        in_then();
        Ok(*row)
    };
    let finished = finish(pipeline_of(cpu, gpu).then(each_row(then)).batch_size(4).workers(0).run(source));
    finished.check_results();
    let threads = threads.lock().unwrap();
    assert_eq!(threads.len(), 20 + 20 + 5 + 20);
    assert!(threads.iter().all(|thread| *thread == current().id()));
    assert_eq!(finished.report.cpu.workers, 0);
}

/// What user code saw in a run without workers, in order.
fn events() -> Vec<(&'static str, u64)> {
    let log: Arc<Mutex<Vec<(&str, u64)>>> = Arc::default();
    let (of_source, of_cpu, of_gpu) = (log.clone(), log.clone(), log.clone());
    let source = (0..50).inspect(move |document| of_source.lock().unwrap().push(("pulled", *document)));
    let cpu = move |document: &mut u64| {
        of_cpu.lock().unwrap().push(("prepared", *document));
        double(document)
    };
    let gpu = move |batch: &[u64]| {
        of_gpu.lock().unwrap().push(("ran", batch[0]));
        plus_one(batch)
    };
    finish(pipeline_of(cpu, gpu).batch_size(8).workers(0).run(source)).check_results();
    let log = log.lock().unwrap();
    log.clone()
}

#[test]
fn with_no_workers_a_batch_runs_as_soon_as_it_is_full() {
    let _watch = watch();
    let events: Vec<_> = events().into_iter().filter(|(event, _)| *event != "pulled").collect();
    let expected: Vec<_> = (0..50)
        .flat_map(|document| {
            let full = document % 8 == 7 || document == 49;
            let ran = full.then_some(("ran", document / 8 * 8 * 2));
            std::iter::once(("prepared", document)).chain(ran)
        })
        .collect();
    assert_eq!(events, expected);
}

/// How a pipeline is set, as plain data, so that the same can be run in several ways.
#[derive(Clone, Copy, Debug)]
struct Set {
    documents: u64,
    batch_size: usize,
    ahead: usize,
    ramp: bool,
    last: fn() -> LastBatch<u64>,
    policy: OnFailure,
    /// Every so-manieth document fails; 0: none.
    fails: u64,
}

/// A batch as it can be compared.
type Seen = (u64, Vec<u64>, Option<Vec<u64>>, Vec<(u64, String)>);

/// What came out, how it ended, and what was left of the documents that were cut.
fn seen(run: Run<u64, Vec<u64>>) -> (Vec<Seen>, Option<String>) {
    let finished = finish(run);
    finished.check_each_once();
    let batch = |batch: &gapless::Batch<u64, Vec<u64>>| {
        let failures = batch.failures().iter().map(|failure| (failure.document, failure.to_string()));
        (batch.index().get(), batch.documents().to_vec(), batch.output().cloned(), failures.collect())
    };
    (finished.batches.iter().map(batch).collect(), finished.error.map(|error| error.to_string()))
}

impl Set {
    fn run(self, workers: usize, sequential: bool) -> (Vec<Seen>, Option<String>) {
        let fails = self.fails;
        let cpu = move |document: &mut u64| match document.checked_rem(fails) {
            Some(rest) if rest + 1 == fails && document.is_multiple_of(2) => planted_panic(),
            Some(rest) if rest + 1 == fails => Err(Cause::msg("planted")),
            _ => double(document),
        };
        let pipeline = pipeline_of(cpu, plus_one).batch_size(self.batch_size).ahead(self.ahead);
        let pipeline = pipeline.ramp(self.ramp).last_batch((self.last)()).on_failure(self.policy);
        let pipeline = pipeline.workers(workers);
        seen(if sequential {
            pipeline.run_sequential(0..self.documents)
        } else {
            pipeline.run(0..self.documents)
        })
    }
}

fn sets() -> impl Iterator<Item = Set> {
    let lasts: [fn() -> LastBatch<u64>; 3] =
        [|| LastBatch::Short, || LastBatch::Drop, || LastBatch::Pad(Clone::clone)];
    let policies = [
        (0, OnFailure::Stop),
        (19, OnFailure::Stop),
        (7, OnFailure::Skip),
        (7, OnFailure::SkipAtMost(AtMost::Count(3))),
        (7, OnFailure::SkipAtMost(AtMost::Share(0.1))),
    ];
    let sizes = [(0, 4), (1, 4), (53, 1), (53, 4), (53, 16), (64, 16), (120, 10)];
    let ramps = [false, true].into_iter();
    ramps.flat_map(move |ramp| {
        sizes.into_iter().flat_map(move |(documents, batch_size)| {
            lasts.into_iter().flat_map(move |last| {
                policies.into_iter().map(move |(fails, policy)| Set {
                    documents,
                    batch_size,
                    ahead: 2,
                    ramp,
                    last,
                    policy,
                    fails,
                })
            })
        })
    })
}

#[test]
fn inline_threads_and_sequential_give_the_same_batches() {
    let _watch = watch();
    for set in sets() {
        let inline = set.run(0, false);
        for workers in 0..4 {
            assert_eq!(set.run(workers, false), inline, "{set:?} with {workers} workers");
            assert_eq!(set.run(workers, true), inline, "{set:?} sequentially with {workers} workers");
        }
    }
}

#[test]
fn a_sequential_run_prepares_everything_before_the_device_starts() {
    let _watch = watch();
    let log: Arc<Mutex<Vec<&str>>> = Arc::default();
    let (of_cpu, of_gpu) = (log.clone(), log.clone());
    let cpu = move |document: &mut u64| {
        of_cpu.lock().unwrap().push("prepared");
        double(document)
    };
    let gpu = move |batch: &[u64]| {
        of_gpu.lock().unwrap().push("ran");
        plus_one(batch)
    };
    let finished = finish(pipeline_of(cpu, gpu).batch_size(4).workers(2).run_sequential(0..100));
    finished.check_results();
    let log = log.lock().unwrap();
    assert_eq!(log.len(), 125);
    assert!(log[..100].iter().all(|event| *event == "prepared"));
}

#[test]
fn a_sequential_run_can_be_stopped_at_every_index() {
    let _watch = watch();
    for workers in 0..3 {
        for batches in 0..6 {
            let mut run = pipeline_of(double, plus_one).batch_size(4).workers(workers).run_sequential(0..23);
            let taken: Vec<_> = run.by_ref().take(batches).map(Result::unwrap).collect();
            run.stop();
            finish_after(taken, run).check_results();
        }
    }
}

#[test]
fn the_ramp_starts_with_one_document_and_doubles() {
    let _watch = watch();
    for workers in 0..3 {
        let finished = finish(pipeline_of(double, plus_one).ramp(true).workers(workers).run(0..64));
        finished.check_results();
        assert_eq!(finished.sizes(), [1, 2, 4, 8, 16, 16, 16, 1]);
    }
}

#[test]
fn a_ramp_ends_at_a_batch_size_that_is_no_power_of_two() {
    let _watch = watch();
    let finished = finish(pipeline_of(double, plus_one).ramp(true).batch_size(6).workers(1).run(0..20));
    assert_eq!(finished.sizes(), [1, 2, 4, 6, 6, 1]);
}

#[test]
fn the_last_batch_is_short_or_dropped_or_padded() {
    let _watch = watch();
    let one = |last, workers| {
        let sizes: Arc<Mutex<Vec<usize>>> = Arc::default();
        let on_device = sizes.clone();
        let gpu = move |batch: &[u64]| {
            on_device.lock().unwrap().push(batch.len());
            plus_one(batch)
        };
        let pipeline = pipeline_of(double, gpu).batch_size(4).workers(workers).last_batch(last);
        let finished = finish(pipeline.run(0..10));
        finished.check_results();
        let on_device = sizes.lock().unwrap().clone();
        (finished.sizes(), on_device, finished.taken_back())
    };
    for workers in 0..3 {
        assert_eq!(one(LastBatch::Short, workers), (vec![4, 4, 2], vec![4, 4, 2], vec![]));
        assert_eq!(one(LastBatch::Drop, workers), (vec![4, 4], vec![4, 4], vec![8, 9]));
        assert_eq!(one(LastBatch::Pad(Clone::clone), workers), (vec![4, 4, 2], vec![4, 4, 4], vec![]));
    }
}

#[test]
fn a_live_source_gets_its_results_while_it_waits() {
    let _watch = watch();
    for workers in 0..3 {
        let (sender, source) = mpsc::channel();
        let pipeline = pipeline_of(double, plus_one).batch_size(16).max_wait(Duration::from_millis(1));
        let mut run = pipeline.workers(workers).run(source);
        let mut batches = Vec::new();
        // Without workers the caller is the one who pulls, and would wait in the source itself.
        let rounds = if workers == 0 { 0 } else { 5 };
        for round in 0..rounds {
            (0..3).for_each(|offset| sender.send(3 * round + offset).unwrap());
            let mut out = 0;
            while out < 3 {
                batches.push(run.next().unwrap().unwrap());
                out += batches.last().unwrap().len();
            }
        }
        drop(sender);
        let finished = finish_after(batches, run);
        finished.check_results();
        assert_eq!(finished.documents(), Vec::from_iter(0..3 * rounds));
    }
}

#[test]
fn whole_batches_are_prepared_in_one_call_and_counted_as_documents() {
    let _watch = watch();
    for workers in 0..4 {
        let sum = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>());
        let gpu = |sums: &[u64]| Ok::<_, Cause>(sums[0] + 1);
        let finished = finish(Pipeline::per_batch(sum, gpu).batch_size(4).workers(workers).run(0..10));
        finished.check_each_once();
        assert_eq!(finished.sizes(), [4, 4, 2]);
        let sums: Vec<u64> = finished.batches.iter().map(|batch| *batch.output().unwrap()).collect();
        assert_eq!(sums, [7, 23, 18]);
    }
}

#[test]
fn a_whole_batch_that_fails_is_a_failure_of_each_of_its_documents() {
    let _watch = watch();
    for workers in 0..4 {
        let sum = |batch: &mut Vec<u64>| match batch.contains(&5) {
            true => Err(Cause::msg("planted")),
            false => Ok(batch.iter().sum::<u64>()),
        };
        let gpu = |sums: &[u64]| Ok::<_, Cause>(sums[0] + 1);
        let pipeline = Pipeline::per_batch(sum, gpu).batch_size(4).workers(workers);
        let finished = finish(pipeline.on_failure(OnFailure::Skip).run(0..10));
        finished.check_each_once();
        assert_eq!(finished.failed(), [4, 5, 6, 7]);
        assert_eq!(finished.accounts.delivered, 6);
    }
}

#[test]
fn progress_is_told_to_the_caller_after_every_batch() {
    let _watch = watch();
    let told: Arc<Mutex<Vec<(u64, ThreadId)>>> = Arc::default();
    let note = told.clone();
    let pipeline = pipeline_of(double, plus_one).batch_size(4).workers(2).progress(move |progress| {
        note.lock().unwrap().push((progress.delivered, current().id()));
    });
    finish(pipeline.run(0..10)).check_results();
    let told = told.lock().unwrap();
    assert!(told.iter().map(|(delivered, _)| *delivered).take(3).eq([4, 8, 10]));
    assert!(told.iter().all(|(_, thread)| *thread == current().id()));
}
