//! `with_state`: a state a call, no more states than calls at once, and a panic loses its own only.

use std::sync::{Arc, Mutex};

use gapless::{Cause, CpuStage, OnFailure, with_state};

use crate::support::{Gate, finish, pipeline_of, planted_panic, plus_one, watch};

#[test]
fn there_are_as_many_states_as_calls_at_once() {
    let _watch = watch();
    for workers in 1..5 {
        let (ranks, gate) = (Arc::new(Mutex::new(Vec::new())), Gate::new());
        let (made, at_gate) = (ranks.clone(), gate.clone());
        let init = move |rank| made.lock().unwrap().push(rank);
        let stage = with_state(init, move |(): &mut (), document: &mut u64| {
            at_gate.pass();
            Ok::<_, Cause>(*document * 2)
        });
        let run = pipeline_of(move |document: &mut u64| stage.prepare(document), plus_one)
            .batch_size(16)
            .workers(workers)
            .run(0..200);
        gate.wait_until_blocked(workers);
        gate.open();
        finish(run).check_results();
        let mut ranks = ranks.lock().unwrap().clone();
        ranks.sort_unstable();
        assert_eq!(ranks, Vec::from_iter(0..workers), "ranks count from 0, without gaps");
    }
}

#[test]
fn a_state_is_borrowed_again() {
    let _watch = watch();
    let stage = with_state(
        |_| 0_u64,
        |calls: &mut u64, _: &mut u64| {
            *calls += 1;
            Ok::<_, Cause>(*calls)
        },
    );
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    let finished = finish(
        pipeline_of(move |document: &mut u64| stage.prepare(document), gpu)
            .workers(1)
            .batch_size(8)
            .run(0..8),
    );
    assert_eq!(finished.batches[0].output(), Some(&Vec::from_iter(1..=8)));
}

#[test]
fn a_panic_loses_its_state_and_gives_its_rank_again() {
    let _watch = watch();
    let ranks = Arc::new(Mutex::new(Vec::new()));
    let made = ranks.clone();
    let init = move |rank| {
        made.lock().unwrap().push(rank);
        0_u64
    };
    let stage = with_state(init, |calls: &mut u64, document: &mut u64| {
        *calls += 1;
        if *document == 2 { planted_panic() } else { Ok::<_, Cause>(*calls) }
    });
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    let pipeline = pipeline_of(move |document: &mut u64| stage.prepare(document), gpu)
        .workers(1)
        .batch_size(5)
        .on_failure(OnFailure::Skip);
    let finished = finish(pipeline.run(0..6));
    finished.check_each_once();
    assert_eq!(finished.failed(), [2]);
    assert_eq!(finished.batches[0].output(), Some(&vec![1, 2, 1, 2, 3]), "a new state after the panic");
    assert_eq!(*ranks.lock().unwrap(), [0, 0]);
}

#[test]
fn a_state_that_cannot_be_made_fails_its_document_only() {
    let _watch = watch();
    let tried = Arc::new(Mutex::new(0));
    let tries = tried.clone();
    let init = move |_| {
        let mut tries = tries.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *tries += 1;
        if *tries == 1 {
            planted_panic()
        }
    };
    let stage = with_state(init, |(): &mut (), document: &mut u64| Ok::<_, Cause>(*document * 2));
    let pipeline = pipeline_of(move |document: &mut u64| stage.prepare(document), plus_one)
        .workers(1)
        .on_failure(OnFailure::Skip);
    let finished = finish(pipeline.run(0..6));
    finished.check_results();
    assert_eq!(finished.failed(), [0]);
}
