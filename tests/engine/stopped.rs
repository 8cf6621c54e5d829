//! A run that a failure ends says which document failed, where, and why, whatever failed and wherever it is counted.

use gapless::{AtMost, Cause, DeviceTimes, Error, GpuStage, OnFailure, Pipeline, Run, Stage, StageError};

use crate::support::{double, plus_one, watch};

/// What ended a run, as far as a user is told.
fn ended<D: std::fmt::Debug, O: std::fmt::Debug>(run: Run<D, O>) -> (u64, Stage, String) {
    let all: Result<Vec<_>, Error> = run.collect();
    match all.unwrap_err() {
        Error::Stopped { position, stage, cause, .. } => (position.get(), stage, cause.to_string()),
        error => panic!("{error}"),
    }
}

fn refuse(number: &mut u64) -> Result<u64, Cause> {
    if *number == 5 { Err(Cause::msg("no five")) } else { Ok(*number) }
}

/// A GPU half that refuses an item.
struct NoSix;

impl GpuStage<u64> for NoSix {
    type Output = Vec<u64>;
    type Ticket = Vec<u64>;

    fn times(&self) -> DeviceTimes {
        DeviceTimes::default()
    }

    fn accepts(&self, item: &u64) -> Result<(), Cause> {
        if *item == 6 { Err(Cause::msg("no six")) } else { Ok(()) }
    }

    fn submit(&mut self, batch: &[u64]) -> Result<Vec<u64>, StageError> {
        Ok(batch.to_vec())
    }

    fn try_collect(
        &mut self,
        batch: &mut Vec<u64>,
        _: std::time::Duration,
    ) -> Result<Option<Vec<u64>>, StageError> {
        Ok(Some(std::mem::take(batch)))
    }
}

#[test]
fn the_error_that_ends_a_run_carries_the_document_the_stage_and_the_cause() {
    let _watch = watch();
    let row = |_: &mut u64, row: &u64| if *row == 7 { Err("no seven") } else { Ok(*row) };
    for workers in [0, 2] {
        let cpu = Pipeline::new(refuse, plus_one).workers(workers).batch_size(2).run(0..20);
        assert_eq!(ended(cpu), (5, Stage::Cpu, "no five".into()), "{workers}");
        let gpu = Pipeline::new(double, NoSix).workers(workers).batch_size(2).run(0..20);
        assert_eq!(ended(gpu), (3, Stage::Gpu, "no six".into()), "{workers}");
        let then = Pipeline::new(double, plus_one).then(row).workers(workers).batch_size(2).run(0..20);
        assert_eq!(ended(then), (3, Stage::Then, "no seven".into()), "{workers}");
    }
    let two = |batch: &mut Vec<u64>| if batch.contains(&5) { Err("no five") } else { Ok(0_u64) };
    let count = |_: &[u64]| 0_u64;
    assert_eq!(
        ended(Pipeline::per_batch(two, count).batch_size(4).run(0..20)),
        (4, Stage::Cpu, "no five".into())
    );
}

#[test]
fn the_failure_that_is_one_too_many_is_the_one_that_is_told() {
    let _watch = watch();
    let row = |_: &mut u64, row: &u64| if *row > 2 { Err(format!("no {row}")) } else { Ok(*row) };
    let most = OnFailure::SkipAtMost(AtMost::Count(2));
    // Of several workers another row of the batch may be the one too many.
    let run = Pipeline::new(|number: &mut u64| *number, |batch: &[u64]| batch.to_vec()).then(row).workers(0);
    assert_eq!(ended(run.on_failure(most).batch_size(8).run(0..20)), (5, Stage::Then, "no 5".into()));
}

#[test]
fn a_share_that_the_end_of_the_source_makes_too_large_is_told_by_its_last_failure() {
    let _watch = watch();
    let odd = |number: &mut u64| if *number % 2 == 1 { Err(format!("no {number}")) } else { Ok(*number) };
    let most = OnFailure::SkipAtMost(AtMost::Share(0.1));
    let run = Pipeline::new(odd, plus_one).on_failure(most).batch_size(4).run(0..20);
    assert_eq!(ended(run), (19, Stage::Cpu, "no 19".into()));
}

#[test]
fn halves_in_a_row_tell_the_half_in_which_the_document_failed() {
    let _watch = watch();
    let same = |_: &mut u64, row: &u64| *row;
    let one = Pipeline::new(double, NoSix).batch_size(2).on_failure(OnFailure::Skip);
    let halves = one.then_gpu(same, plus_one).last_half(|half| half.on_failure(OnFailure::Stop));
    assert_eq!(ended(halves.run(0..20)), (3, Stage::Gpu, "no six".into()));
}

#[test]
fn an_error_is_printed_with_the_document_and_the_cause() {
    let _watch = watch();
    let error = Pipeline::new(refuse, plus_one).run(0..20).find_map(Result::err).unwrap();
    assert_eq!(error.to_string(), "stopped: document 5 failed in the CPU stage: no five");
    let debug = format!("{error:?}");
    assert!(debug.contains("Position(5)") && debug.contains("no five"), "{debug}");
}
