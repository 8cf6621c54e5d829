//! A device that is lost is made again, and what it owed is submitted again: nobody is blamed for one
//! loss, a batch that loses it is halved, a document that loses it fails alone, and the end is bounded.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gapless::{Cause, Error, GpuStage, LastBatch, OnFailure, Order, Pipeline, Stage, StageError};

use crate::support::{Finished, double, finish, plus_one, watch};

const DOCUMENTS: u64 = 40;

/// A device that runs its batches one after the other and can be made again.
#[derive(Default)]
struct Fragile {
    depth: usize,
    /// Documents that lose the device whenever it runs them.
    guilty: Vec<u64>,
    /// Calls, counted from the start, at which the device is lost for no reason.
    at_calls: Vec<usize>,
    /// From this call on no call succeeds.
    dead_from: Option<usize>,
    calls: usize,
    life: usize,
    owed: VecDeque<Vec<u64>>,
    log: Log,
}

/// Batches as they were submitted, with those that were in flight before them.
type Log = Arc<Mutex<Vec<(Vec<u64>, usize)>>>;

impl Fragile {
    fn there(&mut self) -> Result<(), StageError> {
        let call = self.calls;
        self.calls += 1;
        let dead = self.dead_from.is_some_and(|from| call >= from);
        if dead || self.at_calls.contains(&call) { Err(lost()) } else { Ok(()) }
    }

    fn is_guilty(&self, batch: &[u64]) -> bool {
        batch.iter().any(|prepared| self.guilty.contains(&(prepared / 2)))
    }
}

fn lost() -> StageError {
    StageError::Lost(Cause::msg("unplugged"))
}

impl GpuStage<u64> for Fragile {
    type Output = Vec<u64>;
    /// The batch, and the device that owes it.
    type Ticket = (Vec<u64>, usize);

    fn depth(&self) -> usize {
        self.depth
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Self::Ticket, StageError> {
        self.log.lock().unwrap().push((batch.iter().map(|prepared| prepared / 2).collect(), self.owed.len()));
        self.there()?;
        assert!(self.owed.len() < self.depth, "no more than the depth is in flight");
        self.owed.push_back(batch.to_vec());
        Ok((batch.to_vec(), self.life))
    }

    fn try_collect(
        &mut self,
        (batch, life): &mut Self::Ticket,
        _: Duration,
    ) -> Result<Option<Vec<u64>>, StageError> {
        assert_eq!(*life, self.life, "a ticket of a lost device is not asked for");
        assert_eq!(self.owed.front(), Some(&*batch), "the oldest is asked for first");
        self.there()?;
        if self.is_guilty(batch) {
            return Err(lost());
        }
        self.owed.pop_front();
        Ok(Some(plus_one(batch)?))
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        self.owed.clear();
        self.life += 1;
        Ok(())
    }
}

type Lossy = Pipeline<u64, fn(&mut u64) -> Result<u64, Cause>, Fragile>;

fn pipeline(device: Fragile) -> Lossy {
    Pipeline::new(double as fn(&mut u64) -> _, device).batch_size(8)
}

/// The same device with 0 to 2 workers and in a sequential run, one to three batches deep.
fn each(device: impl Fn() -> Fragile, check: impl Fn(Finished<u64, Vec<u64>>)) {
    for depth in 1..4 {
        for workers in 0..3 {
            let pipeline =
                || pipeline(Fragile { depth, ..device() }).workers(workers).on_failure(OnFailure::Skip);
            for finished in
                [finish(pipeline().run(0..DOCUMENTS)), finish(pipeline().run_sequential(0..DOCUMENTS))]
            {
                finished.check_results();
                check(finished);
            }
        }
    }
}

fn all_but(missing: &[u64]) -> Vec<u64> {
    (0..DOCUMENTS).filter(|document| !missing.contains(document)).collect()
}

#[test]
fn a_device_lost_at_any_call_changes_no_result() {
    let _watch = watch();
    for call in 0..10 {
        each(
            || Fragile { at_calls: vec![call], ..Fragile::default() },
            |finished| {
                assert!(finished.error.is_none(), "{:?}", finished.error);
                assert_eq!(finished.documents(), all_but(&[]));
                assert_eq!(finished.sizes(), [8; 5], "no batch is halved for one loss");
                assert_eq!(finished.report.devices[0].losses, 1);
            },
        );
    }
}

#[test]
fn a_document_that_loses_the_device_fails_alone_wherever_it_stands() {
    let _watch = watch();
    for guilty in 0..DOCUMENTS {
        each(
            || Fragile { guilty: vec![guilty], ..Fragile::default() },
            |finished| {
                assert!(finished.error.is_none(), "{:?}", finished.error);
                assert_eq!(finished.failed(), [guilty]);
                assert_eq!(finished.documents(), all_but(&[guilty]));
                let mut failures = finished.batches.iter().flat_map(|batch| batch.failures());
                let failure = failures.next().expect("there is one");
                assert_eq!((failure.stage, failure.position.get()), (Stage::Gpu, guilty));
                assert!(failure.cause.to_string().contains("unplugged"), "{failure}");
                // Two with others at most, one alone, two of halves of several documents, two of its own.
                assert!(finished.report.devices[0].losses <= 7, "{}", finished.report);
            },
        );
    }
}

#[test]
fn several_documents_that_lose_the_device_all_fail_and_no_other_does() {
    let _watch = watch();
    for guilty in [vec![0, 1], vec![3, 30], vec![7, 8], vec![0, 39], vec![5, 12, 13, 20, 28, 36]] {
        each(
            || Fragile { guilty: guilty.clone(), ..Fragile::default() },
            |finished| {
                assert!(finished.error.is_none(), "{:?}", finished.error);
                assert_eq!(finished.failed(), guilty);
                assert_eq!(finished.documents(), all_but(&guilty));
            },
        );
    }
}

#[test]
fn after_the_second_loss_what_was_there_at_both_runs_alone() {
    let _watch = watch();
    let log = Log::default();
    let device = Fragile { depth: 3, guilty: vec![9], log: log.clone(), ..Fragile::default() };
    // Every batch is there from the start: what is in flight does not depend on timing.
    let pipeline = pipeline(device).workers(1).on_failure(OnFailure::Skip);
    let finished = finish(pipeline.run_sequential(0..2 * DOCUMENTS));
    assert_eq!(finished.failed(), [9]);
    let log = log.lock().unwrap();
    let sizes = |log: &[(Vec<u64>, usize)]| -> Vec<_> {
        log.iter().map(|(batch, before)| (batch.len(), *before)).collect()
    };
    let with_it: Vec<_> = log.iter().filter(|(batch, _)| batch.contains(&9)).cloned().collect();
    let narrowed = [(8, 1), (8, 0), (8, 0), (4, 0), (2, 0), (1, 0), (1, 0)];
    assert_eq!(sizes(&with_it), narrowed, "documents, and batches on the device before them");
    let last = log.iter().rposition(|(batch, _)| batch.contains(&9)).expect("it was submitted");
    let after = sizes(&log[last + 1..]);
    assert_eq!(after[..4], [(2, 0), (4, 0), (8, 0), (8, 0)], "who was there at two losses, one by one");
    assert_eq!(after[4..7], [(8, 0), (8, 1), (8, 2)], "then as before the loss");
}

#[test]
fn a_batch_that_is_filled_up_loses_its_copies_before_its_document_is_blamed() {
    let _watch = watch();
    let device = Fragile { depth: 2, guilty: vec![8], ..Fragile::default() };
    let pipeline = pipeline(device).last_batch(LastBatch::Pad(Clone::clone)).on_failure(OnFailure::Skip);
    let finished = finish(pipeline.workers(2).run(0..10));
    finished.check_results();
    assert_eq!((finished.failed(), finished.documents()), (vec![8], vec![0, 1, 2, 3, 4, 5, 6, 7, 9]));
}

#[test]
fn under_stop_a_document_that_loses_the_device_ends_the_run_in_its_place() {
    let _watch = watch();
    for workers in 0..3 {
        let device = Fragile { depth: 2, guilty: vec![21], ..Fragile::default() };
        let finished = finish(pipeline(device).workers(workers).run(0..DOCUMENTS));
        finished.check_results();
        assert_eq!((finished.failed(), finished.documents()), (vec![21], Vec::from_iter(0..21)));
        let stopped =
            matches!(&finished.error, Some(Error::Stopped { position, .. }) if position.get() == 21);
        assert!(stopped, "{:?}", finished.error);
    }
}

#[test]
fn a_device_that_is_lost_again_and_again_ends_the_run_after_so_many_times() {
    let _watch = watch();
    for dead_from in [0, 1, 5, 8] {
        for order in [Order::Source, Order::Completion] {
            let device = Fragile { depth: 2, dead_from: Some(dead_from), ..Fragile::default() };
            let pipeline = pipeline(device).workers(2).order(order).on_failure(OnFailure::Skip);
            let finished = finish(pipeline.run(0..DOCUMENTS));
            finished.check_results();
            let Some(Error::DeviceLost { cause, batch, .. }) = &finished.error else {
                panic!("not the device's error: {:?}", finished.error)
            };
            assert!(cause.to_string().contains("in a row"), "{cause}");
            assert!(finished.report.devices[0].losses < 20, "{}", finished.report);
            let came = finished.documents().len() + finished.failed().len();
            assert!(came as u64 >= batch.get() * 8, "what was delivered stays: {came}, batch {batch}");
        }
    }
}

#[test]
fn of_several_devices_each_recovers_alone() {
    let _watch = watch();
    for guilty in [vec![], vec![11], vec![0, 20, 39]] {
        let lossy = Fragile { depth: 2, at_calls: vec![1, 4], guilty: guilty.clone(), ..Fragile::default() };
        let other = Fragile { depth: 3, guilty: guilty.clone(), ..Fragile::default() };
        let pipeline = Pipeline::on_devices(double as fn(&mut u64) -> _, vec![lossy, other]);
        let pipeline = pipeline.batch_size(4).workers(2).on_failure(OnFailure::Skip);
        let finished = finish(pipeline.run(0..DOCUMENTS));
        finished.check_results();
        assert!(finished.error.is_none(), "{:?}", finished.error);
        assert_eq!((finished.failed(), finished.documents()), (guilty.clone(), all_but(&guilty)));
    }
}

#[test]
fn rows_after_a_loss_go_through_then_in_order() {
    let _watch = watch();
    let device = Fragile { depth: 3, at_calls: vec![2, 9], guilty: vec![17], ..Fragile::default() };
    let text = |document: &mut u64, row: &u64| Ok::<_, Cause>((*document, *row));
    let pipeline = pipeline(device).then(text).workers(3).on_failure(OnFailure::Skip);
    let finished = finish(pipeline.run(0..DOCUMENTS));
    finished.check_each_once();
    assert_eq!((finished.failed(), finished.documents()), (vec![17], all_but(&[17])));
}

#[test]
fn a_panic_while_the_device_is_made_again_ends_the_run_with_its_cause() {
    struct Clumsy;
    impl GpuStage<u64> for Clumsy {
        type Output = Vec<u64>;
        type Ticket = ();
        fn submit(&mut self, _: &[u64]) -> Result<(), StageError> {
            Err(lost())
        }
        fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<Vec<u64>>, StageError> {
            Ok(None)
        }
        fn reopen(&mut self) -> Result<(), StageError> {
            crate::support::planted_panic()
        }
    }
    let _watch = watch();
    for workers in 0..3 {
        let finished = finish(Pipeline::new(double, Clumsy).workers(workers).run(0..DOCUMENTS));
        let error = finished.error.expect("the run ends").to_string();
        assert!(error.contains("planted") && error.contains("unplugged"), "{error}");
    }
}

#[test]
fn the_report_speaks_of_losses_only_where_there_were_some() {
    let _watch = watch();
    let run = |at_calls| finish(pipeline(Fragile { depth: 2, at_calls, ..Fragile::default() }).run(0..9));
    assert!(!run(Vec::new()).report.to_string().contains("lost"));
    let text = run(vec![1]).report.to_string();
    assert!(text.contains("lost 1 ×") && text.contains("rebuilding"), "{text}");
}
