//! What is left to gapless: what it chooses where nothing can be measured, and what it never exceeds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gapless::{Auto, Cause, Error, LastBatch, Memory, Pipeline, Report, Run};

use crate::support::{Gate, counted, double, finish, pipeline_of, plus_one, until, watch};

/// The value of the last decision on this setting.
fn chosen<'a>(report: &'a Report, setting: &str) -> Option<&'a str> {
    let last = report.decisions.iter().rfind(|decision| decision.setting == setting);
    last.map(|decision| decision.value.as_str())
}

fn sizes<O>(mut run: Run<u64, O>) -> (Vec<usize>, Report) {
    let sizes = run.by_ref().map(|batch| batch.expect("nothing fails").len()).collect();
    (sizes, run.report())
}

#[test]
fn every_document_has_its_result_wherever_the_cuts_fall() {
    let _watch = watch();
    for workers in 1..4 {
        let pipeline = || pipeline_of(double, plus_one).workers(workers);
        let auto = finish(pipeline().batch_size(Auto.up_to(32)).ahead(Auto).ramp(Auto).run(0..500));
        auto.check_each_once();
        auto.check_results();
        assert_eq!(auto.accounts.delivered, 500);
    }
}

#[test]
fn no_batch_is_larger_than_the_largest() {
    let _watch = watch();
    let (sizes, report) = sizes(pipeline_of(double, plus_one).batch_size(Auto.up_to(7)).run(0..500));
    assert!(
        sizes.iter().all(|size| (1..=7).contains(size)) && sizes.iter().sum::<usize>() == 500,
        "{report}"
    );
    assert!(chosen(&report, "batch_size").is_some() && chosen(&report, "ramp").is_some(), "{report}");
    assert_eq!(chosen(&report, "ahead"), None, "what was not asked for is not chosen");
}

#[test]
fn without_workers_the_largest_is_taken_and_nothing_depends_on_time() {
    let _watch = watch();
    let pipeline = || pipeline_of(double, plus_one).batch_size(Auto.up_to(8)).ahead(Auto).ramp(Auto);
    for run in [pipeline().workers(0).run(0..20), pipeline().workers(2).run_sequential(0..20)] {
        let (sizes, report) = sizes(run);
        assert_eq!(sizes, [8, 8, 4]);
        let chosen = ["batch_size", "ahead", "ramp"].map(|setting| chosen(&report, setting));
        assert_eq!(chosen, [Some("8"), Some("2"), Some("false")], "{report}");
    }
}

#[test]
fn a_pool_of_our_own_says_how_many_workers_it_has_and_why() {
    let _watch = watch();
    let (_, report) = sizes(pipeline_of(double, plus_one).workers(Auto).run(0..3));
    assert_eq!(chosen(&report, "workers"), Some(&*report.cpu.workers.to_string()));
    let (_, report) = sizes(pipeline_of(double, plus_one).workers(2).run(0..3));
    assert!(report.decisions.is_empty(), "{report}");
}

#[test]
fn a_last_batch_is_filled_up_to_the_size_that_was_chosen() {
    let _watch = watch();
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let gpu = move |batch: &[u64]| {
        seen.fetch_max(batch.len(), Ordering::SeqCst);
        plus_one(batch)
    };
    let pipeline =
        pipeline_of(double, gpu).batch_size(Auto.up_to(8)).last_batch(LastBatch::Pad(Clone::clone));
    let finished = finish(pipeline.run(0..100));
    finished.check_each_once();
    assert!(most.load(Ordering::SeqCst) <= 8);
}

#[test]
fn nothing_is_lost_where_documents_fail_while_costs_are_learnt() {
    let _watch = watch();
    for first_good in [1, 7, 40, 200] {
        let cpu = move |n: &mut u64| if *n < first_good { Err(Cause::msg("planned")) } else { double(n) };
        let pipeline = pipeline_of(cpu, plus_one).batch_size(Auto.up_to(4)).ahead(Auto).workers(2);
        let finished = finish(pipeline.on_failure(gapless::OnFailure::Skip).run(0..300));
        assert_eq!(finished.accounts.failed, first_good);
        finished.check_each_once();
    }
}

#[test]
fn a_whole_batch_cannot_choose_its_size() {
    let _watch = watch();
    let sum = |batch: &mut Vec<u64>| Ok::<_, Cause>(batch.iter().sum::<u64>());
    let same = |sums: &[u64]| Ok::<_, Cause>(sums[0]);
    let pipeline = || Pipeline::per_batch(sum, same);
    let refused = finish(pipeline().batch_size(Auto.up_to(8)).run(0..9)).error;
    assert!(matches!(refused, Some(Error::Setting { name: "batch_size", .. })), "{refused:?}");
    let (_, report) = sizes(pipeline().batch_size(2).ahead(Auto).ramp(Auto).run(0..9));
    assert_eq!((chosen(&report, "ahead"), chosen(&report, "ramp")), (Some("2"), Some("false")), "{report}");
}

/// The error of a run with this memory for items of 100 bytes each.
fn refused(memory: impl Into<Memory>, pipeline: impl FnOnce(Bytes) -> Bytes) -> Option<Error> {
    finish(
        pipeline(Pipeline::new(bytes as fn(&mut u64) -> _, lengths as fn(&[Vec<u8>]) -> _))
            .memory(memory)
            .run(0..9),
    )
    .error
}

type Bytes =
    Pipeline<u64, fn(&mut u64) -> Result<Vec<u8>, Cause>, fn(&[Vec<u8>]) -> Result<Vec<usize>, Cause>>;

fn bytes(_: &mut u64) -> Result<Vec<u8>, Cause> {
    Ok(vec![0; 100])
}

fn lengths(batch: &[Vec<u8>]) -> Result<Vec<usize>, Cause> {
    Ok(batch.iter().map(Vec::len).collect())
}

#[test]
fn memory_that_cannot_hold_what_is_set_is_refused() {
    let _watch = watch();
    let fails = |error: Option<Error>, part: &str| match error {
        Some(Error::Setting { name: "memory", reason, .. }) => assert!(reason.contains(part), "{reason}"),
        other => panic!("{other:?}"),
    };
    fails(refused(10_000, |pipeline| pipeline), "how large");
    fails(
        refused(Memory::of(199).item(100), |pipeline| pipeline.batch_size(Auto.up_to(8))),
        "two prepared items",
    );
    fails(refused(Memory::of(800).item(100), |pipeline| pipeline.batch_size(16).ahead(1)), "48");
    fails(refused(Memory::of(0).item(0), |pipeline| pipeline), "two");
    assert!(refused(Memory::of(4800).item(100), |pipeline| pipeline.batch_size(16).ahead(1)).is_none());
    assert!(
        refused(Memory::of(200).item(100), |pipeline| pipeline.batch_size(Auto.up_to(8)).ahead(Auto))
            .is_none()
    );
}

#[test]
fn what_owns_no_memory_needs_no_size() {
    let _watch = watch();
    // A prepared number is eight bytes.
    let run = pipeline_of(double, plus_one).batch_size(Auto.up_to(64)).memory(8 * 40).run(0..100);
    assert_eq!(run.tokens(), 40);
    finish(run).check_each_once();
}

#[test]
fn there_are_never_more_prepared_items_than_the_memory_holds() {
    let _watch = watch();
    for items in [2, 3, 10, 50] {
        let (taken, source) = counted(0..200);
        let gate = Gate::new();
        let held = gate.clone();
        let gpu = move |batch: &[Vec<u8>]| {
            held.pass();
            lengths(batch)
        };
        let pipeline = Pipeline::new(bytes, gpu).batch_size(Auto.up_to(16)).ahead(Auto).workers(3);
        let run = pipeline.memory(Memory::of(100 * items + 99).item(100)).run(source);
        assert!(run.tokens() <= items, "{} tokens for {items} items", run.tokens());
        until("a token holds every item", || taken.load(Ordering::SeqCst) >= 2);
        gate.open();
        let finished = finish(run);
        assert!(finished.report.peak_in_flight <= items);
        finished.check_each_once();
    }
}
