//! Several halves in a row: one run, one order, one account, failures of every half in their places.

use gapless::{Cause, Error, OnFailure, Pipeline, Stage};

use crate::support::{planted_panic, watch};

type Numbers = Vec<u64>;

fn same(number: &mut u64) -> Result<u64, Cause> {
    if *number == 3 { Err(Cause::msg("refused by the first")) } else { Ok(*number) }
}

fn double(batch: &[u64]) -> Result<Numbers, Cause> {
    Ok(batch.iter().map(|number| number * 2).collect())
}

fn of_row(number: &mut u64, doubled: &u64) -> Result<u64, Cause> {
    assert_eq!(*doubled, *number * 2, "a document stands beside its own row");
    match *number {
        7 => Err(Cause::msg("refused by the second")),
        11 => planted_panic(),
        _ => Ok(*doubled),
    }
}

fn add_one(batch: &[u64]) -> Result<Numbers, Cause> {
    Ok(batch.iter().map(|number| number + 1).collect())
}

/// What came out: each place with its result, or with the stage that failed.
type Came = Vec<(u64, Result<u64, Stage>)>;

fn all(run: &mut gapless::Run<u64, Numbers>) -> Came {
    let mut came = Came::new();
    for batch in run.by_ref() {
        let batch = batch.unwrap();
        let places = batch.positions().iter().map(|position| position.get());
        let mut of_batch: Came = places.zip(batch.rows().map(|(_, row)| Ok(*row))).collect();
        of_batch.extend(batch.failures().iter().map(|failure| {
            assert_eq!(failure.position.get(), failure.document, "a failure has its own document");
            (failure.position.get(), Err(failure.stage))
        }));
        of_batch.sort_by_key(|(place, _)| *place);
        came.extend(of_batch);
    }
    came
}

#[test]
fn results_and_the_failures_of_every_half_come_out_in_the_order_of_the_source() {
    let _watch = watch();
    for (workers, first, last) in [(0, 4, 3), (2, 4, 3), (2, 1, 16), (2, 16, 1)] {
        let halves =
            Pipeline::new(same, double).batch_size(first).workers(workers).on_failure(OnFailure::Skip);
        let halves = halves
            .then_gpu(of_row, add_one)
            .last_half(|half| half.batch_size(last).workers(workers).on_failure(OnFailure::Skip));
        let mut run = halves.run(0..40_u64);
        let expected = (0..40).map(|number| match number {
            3 | 7 | 11 => (number, Err(Stage::Cpu)),
            _ => (number, Ok(2 * number + 1)),
        });
        assert_eq!(all(&mut run), Vec::from_iter(expected), "{workers} workers, {first} and {last} a batch");
        let accounts = run.accounts();
        assert_eq!((accounts.pulled, accounts.delivered, accounts.failed), (40, 37, 3));
        assert!(accounts.balance());
    }
}

#[test]
fn a_failure_of_any_half_stops_all_of_them_at_its_place_and_every_document_is_given_back() {
    let _watch = watch();
    for (stops_at, skips_first) in [(3, false), (7, true)] {
        let policy = if skips_first { OnFailure::Skip } else { OnFailure::Stop };
        let halves = Pipeline::new(same, double).batch_size(2).workers(2).on_failure(policy);
        let last =
            if skips_first { OnFailure::SkipAtMost(gapless::AtMost::Count(1)) } else { OnFailure::Stop };
        let halves = halves.then_gpu(of_row, add_one).last_half(|half| half.batch_size(2).on_failure(last));
        let mut run = halves.run(0..);
        let mut out = Vec::new();
        let error = loop {
            match run.next().expect("the source has no end") {
                Ok(batch) => {
                    let (documents, _, failures) = batch.into_parts();
                    out.extend(documents);
                    out.extend(failures.into_iter().map(|failure| failure.document));
                }
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::Stopped { position, .. } if position.get() == stops_at), "{error}");
        assert!(run.next().is_none());
        let accounts = run.accounts();
        assert!(accounts.balance() && accounts.stuck == 0, "{accounts:?}");
        out.extend(run.take_back().into_iter().map(|(position, document)| {
            assert_eq!(position.get(), document);
            document
        }));
        out.sort_unstable();
        assert_eq!(out, Vec::from_iter(0..accounts.pulled), "no document is lost, and none is there twice");
    }
}

#[test]
fn three_halves_are_one_run() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let row = |_: &mut u64, row: &u64| Ok::<_, Cause>(*row);
    let halves = Pipeline::new(cpu, double).batch_size(5).then_gpu(row, add_one).then_gpu(row, double);
    let mut run = halves.run(0..23_u64);
    let expected = (0..23).map(|number| (number, Ok((2 * number + 1) * 2)));
    assert_eq!(all(&mut run), Vec::from_iter(expected));
    for report in [run.report(), run.handle().report()] {
        assert_eq!(report.before.len(), 2, "a report of each half before the last");
        assert!(report.before.iter().all(|half| half.accounts.delivered == 23 && half.before.is_empty()));
        assert_eq!(report.accounts.delivered, 23);
    }
}

#[test]
fn a_run_of_several_halves_can_be_stopped_from_another_thread_while_its_source_waits() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let (give, source) = std::sync::mpsc::channel::<u64>();
    let row = |_: &mut u64, row: &u64| Ok::<_, Cause>(*row);
    let halves =
        Pipeline::new(cpu, double).batch_size(1).then_gpu(row, add_one).last_half(|half| half.batch_size(1));
    let mut run = halves.run(source);
    give.send(1).unwrap();
    assert_eq!(run.next().unwrap().unwrap().output(), Some(&vec![3]));
    let handle = run.handle();
    let stops = std::thread::spawn(move || handle.stop());
    assert!(run.next().is_none());
    stops.join().unwrap();
    assert_eq!(run.accounts().delivered, 1);
    drop(give);
}

#[test]
fn a_setting_of_any_half_that_cannot_work_is_the_first_item() {
    let _watch = watch();
    let cpu = |number: &mut u64| Ok::<_, Cause>(*number);
    let row = |_: &mut u64, row: &u64| Ok::<_, Cause>(*row);
    let first = Pipeline::new(cpu, double).batch_size(0).then_gpu(row, add_one);
    assert!(matches!(first.run(0..3_u64).next(), Some(Err(Error::Setting { .. }))));
    let last = Pipeline::new(cpu, double).then_gpu(row, add_one).last_half(|half| half.batch_size(0));
    let mut run = last.run(0..3_u64);
    assert!(matches!(run.next(), Some(Err(Error::Setting { .. }))));
    let accounts = run.accounts();
    assert_eq!(accounts.pulled, run.take_back().len() as u64, "{accounts:?}");
}
