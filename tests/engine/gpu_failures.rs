//! Failures of the GPU half: under `Stop` an error stands in the place of the batch, under `Skip` its
//! documents are failures; a batch too large is halved; a device that is lost and cannot be made again
//! ends the run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use gapless::{Cause, Error, GpuStage, LastBatch, OnFailure, Pipeline, Stage, StageError};

use crate::support::{double, finish, pipeline_of, planted_panic, plus_one, watch};

const BATCHES: u64 = 5;
const BATCH: usize = 4;
const DOCUMENTS: u64 = BATCHES * BATCH as u64;

/// When and how a [`Faulty`] device fails.
#[derive(Clone, Copy, Debug)]
enum Fault {
    SubmitErr,
    SubmitPanic,
    CollectErr,
    CollectPanic,
    TooManyRows,
    TooFewRows,
    SubmitLost,
    CollectLost,
}

const FAULTS_OF_A_BATCH: [Fault; 6] = [
    Fault::SubmitErr,
    Fault::SubmitPanic,
    Fault::CollectErr,
    Fault::CollectPanic,
    Fault::TooManyRows,
    Fault::TooFewRows,
];

/// A device that fails at the batch that holds one document.
struct Faulty {
    fault: Fault,
    at: u64,
    depth: usize,
}

impl GpuStage<u64> for Faulty {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn depth(&self) -> usize {
        self.depth
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        if batch.contains(&(self.at * 2)) {
            match self.fault {
                Fault::SubmitErr => return Err(StageError::Batch(Cause::msg("planted"))),
                Fault::SubmitLost => return Err(StageError::Lost(Cause::msg("unplugged"))),
                Fault::SubmitPanic => planted_panic(),
                _ => {}
            }
        }
        Ok(batch.to_vec())
    }

    fn try_collect(&mut self, ticket: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        let mut output = plus_one(ticket)?;
        if ticket.contains(&(self.at * 2)) {
            match self.fault {
                Fault::CollectErr => return Err(StageError::Batch(Cause::msg("planted"))),
                Fault::CollectLost => return Err(StageError::Lost(Cause::msg("unplugged"))),
                Fault::CollectPanic => planted_panic(),
                Fault::TooManyRows => output.push(0),
                Fault::TooFewRows => drop(output.pop()),
                _ => {}
            }
        }
        Ok(Some(output))
    }
}

/// Every fault at every batch, with workers 0 to 2 and one or two batches in flight.
fn each(faults: &[Fault], check: impl Fn(u64, Pipeline<u64, fn(&mut u64) -> Result<u64, Cause>, Faulty>)) {
    for workers in 0..3 {
        for depth in 1..3 {
            for batch in 0..BATCHES {
                for fault in faults {
                    let device = Faulty { fault: *fault, at: batch * BATCH as u64 + 1, depth };
                    let pipeline = Pipeline::new(double as fn(&mut u64) -> _, device);
                    check(batch, pipeline.batch_size(BATCH).workers(workers));
                }
            }
        }
    }
}

#[test]
fn a_batch_that_fails_is_the_error_in_its_place() {
    let _watch = watch();
    each(&FAULTS_OF_A_BATCH, |batch, pipeline| {
        let finished = finish(pipeline.run(0..DOCUMENTS));
        finished.check_results();
        assert_eq!(finished.documents(), Vec::from_iter(0..batch * BATCH as u64));
        let at = matches!(&finished.error, Some(Error::Batch { batch: at, .. }) if at.get() == batch);
        assert!(at, "{:?}", finished.error);
        let lost = finished.documents().len() as u64..finished.accounts.pulled;
        assert_eq!(finished.taken_back(), Vec::from_iter(lost), "its documents can be taken back");
    });
}

#[test]
fn the_documents_of_a_batch_that_fails_are_failures_where_failures_are_skipped() {
    let _watch = watch();
    each(&FAULTS_OF_A_BATCH, |batch, pipeline| {
        let finished = finish(pipeline.on_failure(OnFailure::Skip).run(0..DOCUMENTS));
        finished.check_results();
        assert!(finished.error.is_none());
        let failed = batch * BATCH as u64..(batch + 1) * BATCH as u64;
        assert_eq!(finished.failed(), Vec::from_iter(failed));
        let of_batch = &finished.batches[usize::try_from(batch).unwrap()];
        assert!(of_batch.is_empty() && of_batch.output().is_none());
        assert!(of_batch.failures().iter().all(|failure| failure.stage == Stage::Gpu));
    });
}

#[test]
fn a_wrong_number_of_rows_says_both_numbers() {
    let _watch = watch();
    let gpu = |batch: &[u64]| Ok::<_, Cause>(vec![0_u64; batch.len() + 3]);
    let error = finish(pipeline_of(double, gpu).batch_size(4).run(0..4)).error.unwrap().to_string();
    assert!(error.contains("7 rows for 4 documents"), "{error}");
}

#[test]
fn a_lost_device_that_cannot_be_made_again_ends_the_run_whatever_the_policy() {
    let _watch = watch();
    each(&[Fault::SubmitLost, Fault::CollectLost], |batch, pipeline| {
        let finished = finish(pipeline.on_failure(OnFailure::Skip).run(0..DOCUMENTS));
        finished.check_results();
        let Some(Error::DeviceLost { device, batch: at, cause, .. }) = &finished.error else {
            panic!("not the device's error: {:?}", finished.error)
        };
        assert_eq!(device, "closure");
        let cause = cause.to_string();
        assert!(cause.contains("could not be rebuilt") && cause.contains("unplugged"), "{cause}");
        assert_eq!(finished.report.devices[0].losses, 1);
        assert!(at.get() <= batch);
        assert_eq!(
            finished.documents(),
            Vec::from_iter(0..at.get() * BATCH as u64),
            "delivered batches stay"
        );
    });
}

/// A device for at most so many items at once, that says so at submission or at collection.
struct Small {
    fits: usize,
    at_collection: bool,
    depth: usize,
    ran: Arc<Mutex<Vec<usize>>>,
}

impl Small {
    fn check(&self, batch: &[u64]) -> Result<(), StageError> {
        if batch.len() > self.fits { Err(StageError::TooLarge(Cause::msg("out of memory"))) } else { Ok(()) }
    }
}

impl GpuStage<u64> for Small {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn depth(&self) -> usize {
        self.depth
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        if !self.at_collection {
            self.check(batch)?;
        }
        Ok(batch.to_vec())
    }

    fn try_collect(&mut self, ticket: &mut Vec<u64>, _: Duration) -> Result<Option<Vec<u64>>, StageError> {
        self.check(ticket)?;
        self.ran.lock().unwrap().push(ticket.len());
        Ok(Some(plus_one(ticket)?))
    }
}

#[test]
fn a_batch_too_large_is_halved_and_the_order_is_kept() {
    let _watch = watch();
    for workers in 0..3 {
        for depth in 1..5 {
            for at_collection in [false, true] {
                for fits in 1..9 {
                    let ran = Arc::default();
                    let device = Small { fits, at_collection, depth, ran: Arc::clone(&ran) };
                    let finished =
                        finish(Pipeline::new(double, device).batch_size(8).workers(workers).run(0..44));
                    finished.check_results();
                    assert!(finished.error.is_none(), "{:?}", finished.error);
                    assert_eq!(finished.documents(), Vec::from_iter(0..44));
                    assert!(finished.batches.is_sorted_by_key(|batch| batch.index()));
                    assert_eq!(finished.batches.last().unwrap().index().get(), 5, "parts share their index");
                    assert!(ran.lock().unwrap().iter().all(|items| *items <= fits));
                }
            }
        }
    }
}

#[test]
fn the_parts_of_a_batch_too_large_keep_their_order_through_then() {
    let _watch = watch();
    for _ in 0..20 {
        let device = Small { fits: 2, at_collection: true, depth: 3, ran: Arc::default() };
        let text = |document: &mut u64, row: &u64| Ok::<_, Cause>((*document, *row));
        let finished = finish(Pipeline::new(double, device).then(text).batch_size(16).workers(3).run(0..200));
        finished.check_each_once();
        assert_eq!(finished.documents(), Vec::from_iter(0..200));
    }
}

#[test]
fn one_document_too_large_is_a_failure_of_its_own() {
    struct Picky;
    impl GpuStage<u64> for Picky {
        type Output = Vec<u64>;
        type Ticket = Vec<u64>;
        fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
            if batch.contains(&10) {
                Err(StageError::TooLarge(Cause::msg("no room")))
            } else {
                Ok(plus_one(batch)?)
            }
        }
        fn try_collect(
            &mut self,
            ticket: &mut Vec<u64>,
            _: Duration,
        ) -> Result<Option<Vec<u64>>, StageError> {
            Ok(Some(std::mem::take(ticket)))
        }
    }
    let _watch = watch();
    for workers in 0..3 {
        let pipeline =
            Pipeline::new(double, Picky).batch_size(8).workers(workers).on_failure(OnFailure::Skip);
        let finished = finish(pipeline.run(0..20));
        finished.check_results();
        assert_eq!(finished.failed(), [5]);
        assert_eq!(finished.accounts.delivered, 19);
    }
}

#[test]
fn a_padded_batch_too_large_loses_its_copies_first() {
    let _watch = watch();
    for workers in 0..3 {
        let device = Small { fits: 3, at_collection: false, depth: 1, ran: Arc::default() };
        let pipeline = Pipeline::new(double, device).batch_size(4).last_batch(LastBatch::Pad(Clone::clone));
        let finished = finish(pipeline.workers(workers).run(0..5));
        finished.check_results();
        assert!(finished.error.is_none(), "{:?}", finished.error);
        assert_eq!(finished.documents(), [0, 1, 2, 3, 4]);
    }
}

#[test]
fn a_copy_that_panics_is_a_failure_of_the_last_batch() {
    let _watch = watch();
    let pipeline = pipeline_of(double, plus_one).batch_size(4).workers(1);
    let run = pipeline.last_batch(LastBatch::Pad(|_| planted_panic())).on_failure(OnFailure::Skip).run(0..6);
    let finished = finish(run);
    finished.check_results();
    assert_eq!(finished.failed(), [4, 5]);
}

/// Doubles even numbers and accepts no others.
struct EvenOnly;

impl gapless::GpuStage<u64> for EvenOnly {
    type Output = Vec<u64>;
    type Ticket = Option<Vec<u64>>;

    fn accepts(&self, item: &u64) -> Result<(), Cause> {
        if item.is_multiple_of(2) { Ok(()) } else { Err(Cause::msg("it is odd")) }
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Self::Ticket, gapless::StageError> {
        assert!(batch.iter().all(|item| item.is_multiple_of(2)), "a refused item is not submitted");
        Ok(Some(batch.iter().map(|item| 2 * item).collect()))
    }

    fn try_collect(
        &mut self,
        ticket: &mut Self::Ticket,
        _: std::time::Duration,
    ) -> Result<Option<Vec<u64>>, gapless::StageError> {
        Ok(ticket.take())
    }
}

#[test]
fn an_item_that_the_stage_refuses_fails_alone() {
    let cpu = |document: &mut u64| Ok::<u64, Cause>(*document);
    let pipeline = Pipeline::new(cpu, EvenOnly).batch_size(4).on_failure(OnFailure::Skip);
    let mut run = pipeline.run(0..8_u64);
    let (mut delivered, mut failed) = (Vec::new(), Vec::new());
    for batch in run.by_ref() {
        let batch = batch.expect("nothing ends the run");
        delivered.extend(batch.rows().map(|(document, row)| (*document, *row)));
        failed.extend(batch.failures().iter().map(|failure| (failure.document, failure.stage)));
    }
    assert_eq!(delivered, [(0, 0), (2, 4), (4, 8), (6, 12)]);
    assert_eq!(failed, [1, 3, 5, 7].map(|document| (document, Stage::Gpu)));
    assert!(run.accounts().balance());
}

#[test]
fn a_refused_item_ends_a_run_that_stops_at_failures() {
    let cpu = |document: &mut u64| Ok::<u64, Cause>(*document);
    let mut run = Pipeline::new(cpu, EvenOnly).batch_size(4).run([0, 2, 3, 4, 6, 8_u64]);
    let batch = run.next().expect("a batch").expect("the others of the batch come out");
    assert_eq!((batch.documents(), batch.failures().len()), (&[0, 2, 4][..], 1));
    assert!(matches!(run.next(), Some(Err(Error::Stopped { position, .. })) if position.get() == 2));
    assert!(run.next().is_none() && run.accounts().balance());
}
