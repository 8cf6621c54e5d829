//! Runs that borrow, within a scope: stages, documents and functions, with and without a device of one's own.

use std::sync::Mutex;

use gapless::{Cause, Error, OnFailure, Pipeline, Position, scope};

use crate::support::watch;

#[test]
fn stages_documents_and_functions_may_borrow_from_around_the_scope() {
    let _watch = watch();
    let words: Vec<String> = (0..50).map(|number| format!("{number}")).collect();
    let seen = Mutex::new(Vec::new());
    let (prefix, mut batches) = ("n".to_string(), 0);
    for workers in [0, 2] {
        let cpu = |word: &mut &String| Ok::<_, Cause>(format!("{prefix}{word}"));
        let gpu = |batch: &[String]| {
            batches += 1;
            Ok::<_, Cause>(batch.iter().map(String::len).collect::<Vec<_>>())
        };
        let then = |word: &mut &String, length: &usize| {
            seen.lock().unwrap().push(word.to_string());
            Ok::<_, Cause>(*length)
        };
        let lengths: Vec<usize> = scope(|scope| {
            let pipeline = Pipeline::new(cpu, gpu).workers(workers).batch_size(8).then(then);
            scope
                .run(pipeline, &words)
                .flat_map(|batch| batch.unwrap().into_iter().map(|(_, length)| length))
                .collect()
        });
        assert_eq!(lengths, words.iter().map(|word| word.len() + 1).collect::<Vec<_>>());
    }
    assert_eq!((batches, seen.lock().unwrap().len()), (2 * 7, 2 * 50));
}

#[test]
fn a_run_of_a_scope_that_is_dropped_has_ended_when_the_scope_does_and_one_that_failed_says_why() {
    let _watch = watch();
    let numbers: Vec<u64> = (0..100).collect();
    let calls = Mutex::new(0);
    let cpu = |number: &mut &u64| {
        *calls.lock().unwrap() += 1;
        if **number == 30 { Err(Cause::msg("thirty")) } else { Ok(**number) }
    };
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    let first = scope(|scope| {
        let mut run = scope.run(Pipeline::new(cpu, gpu).batch_size(4).workers(2), &numbers);
        run.next().unwrap().unwrap().len()
    });
    assert_eq!(first, 4);
    let (error, left) = scope(|scope| {
        let mut run = scope.run(Pipeline::new(cpu, gpu).batch_size(4).workers(2), &numbers);
        let error = run.by_ref().find_map(Result::err);
        assert!(run.accounts().balance());
        (error, run.take_back())
    });
    assert!(matches!(error, Some(Error::Stopped { position, .. }) if position.get() == 30));
    let places: Vec<Position> = left.iter().map(|(place, _)| *place).collect();
    assert!(places.is_sorted() && left.iter().all(|(place, number)| place.get() == **number));
}

#[test]
fn two_runs_of_one_scope_go_on_beside_each_other() {
    let _watch = watch();
    let numbers: Vec<u64> = (0..40).collect();
    let same = |number: &mut &u64| if **number % 2 == 1 { Err(Cause::msg("odd")) } else { Ok(**number) };
    let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    let counts = scope(|scope| {
        let runs = [1, 2].map(|workers| {
            let pipeline =
                Pipeline::new(same, gpu).batch_size(4).workers(workers).on_failure(OnFailure::Skip);
            scope.run(pipeline, &numbers)
        });
        runs.map(|run| run.map(|batch| batch.unwrap().len()).sum::<usize>())
    });
    assert_eq!(counts, [20, 20]);
}
