//! Stages and documents that borrow what lives longer than the call: every way to run them, and every way to end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gapless::parallel::{Vectorizer, apply, apply_batch};
use gapless::{Cause, Error, OnFailure};
use rayon::ThreadPoolBuilder;

use crate::support::{planted_panic, watch};

const TEXT: &str = "a list of words that stands outside";

/// A word of a text, and how often it was seen: both borrowed.
struct Word<'a> {
    text: &'a str,
    seen: &'a AtomicUsize,
}

#[test]
fn documents_and_stages_that_borrow_are_worked_on_by_threads_of_the_run_and_by_pools_of_others() {
    let _watch = watch();
    let pool =
        Arc::new(ThreadPoolBuilder::new().num_threads(2).thread_name(|_| "theirs".into()).build().unwrap());
    let text = String::from(TEXT);
    for workers in [Some(0), Some(1), Some(3), None] {
        let (letters, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let mut words: Vec<Word<'_>> = text.split(' ').map(|text| Word { text, seen: &seen }).collect();
        let threads = std::sync::Mutex::new(Vec::new());
        let count = |word: &mut Word<'_>| {
            word.seen.fetch_add(1, Ordering::SeqCst);
            letters.fetch_add(word.text.len(), Ordering::SeqCst);
            threads.lock().unwrap().push(std::thread::current().name().unwrap_or_default().to_owned());
            Ok::<_, Cause>(word.text.len())
        };
        let mut lengths = Vec::new();
        let applied = apply(&mut words, count);
        let applied = match workers {
            Some(workers) => applied.workers(workers),
            None => applied.pool(&pool),
        };
        applied.run_with(|length| lengths.push(length)).unwrap();
        assert_eq!(lengths, text.split(' ').map(str::len).collect::<Vec<_>>(), "{workers:?}");
        assert_eq!((words.len(), seen.into_inner()), (lengths.len(), lengths.len()));
        let threads = threads.into_inner().unwrap();
        match workers {
            None => assert!(threads.iter().all(|thread| thread == "theirs"), "{threads:?}"),
            Some(0) => assert!(threads.iter().all(|thread| !thread.starts_with("gapless")), "{threads:?}"),
            Some(_) => {
                assert!(threads.iter().all(|thread| thread.starts_with("gapless-cpu-")), "{threads:?}")
            }
        }
    }
}

#[test]
fn borrowed_documents_are_all_back_in_their_places_when_their_stage_fails_or_panics() {
    let _watch = watch();
    let text = String::from(TEXT);
    let bad = String::from("words");
    for panics in [false, true] {
        for workers in [0, 2] {
            let mut words: Vec<&str> = text.split(' ').collect();
            let before = words.clone();
            let stage = |word: &mut &str| match (*word == bad, panics) {
                (false, _) => Ok(()),
                (true, false) => Err(Cause::msg("bad")),
                (true, true) => planted_panic(),
            };
            let failed = apply(&mut words, stage).workers(workers).run().unwrap_err();
            assert!(
                matches!(failed.error, Error::Stopped { position, .. } if position.get() == 3),
                "{failed}"
            );
            assert_eq!(words, before, "workers({workers})");
            let mut again = words.clone();
            let skipped =
                apply(&mut again, stage).workers(workers).on_failure(OnFailure::Skip).run().unwrap();
            assert_eq!(skipped.failures.len(), 1);
        }
    }
}

#[test]
fn a_panic_of_the_callers_own_function_goes_through_when_all_is_back() {
    let _watch = watch();
    let text = String::from(TEXT);
    let mut words: Vec<&str> = text.split(' ').collect();
    let before = words.clone();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let same = |word: &mut &str| Ok::<_, Cause>(word.len());
        apply(&mut words, same).workers(2).run_with(|_| -> Result<(), Cause> { planted_panic() })
    }));
    assert!(panicked.is_err());
    assert_eq!(words, before);
}

#[test]
fn a_deadline_ends_borrowed_work_when_its_calls_have_returned() {
    let _watch = watch();
    let (inside, text) = (AtomicUsize::new(0), String::from(TEXT));
    let mut words: Vec<&str> = text.split(' ').collect();
    let before = words.clone();
    let stage = |_: &mut &str| {
        inside.fetch_add(1, Ordering::SeqCst);
        std::thread::park_timeout(Duration::from_millis(30));
        inside.fetch_sub(1, Ordering::SeqCst);
        Ok::<_, Cause>(())
    };
    let late = apply(&mut words, stage).workers(1).deadline(Duration::from_millis(10)).run().unwrap_err();
    assert!(matches!(late.error, Error::Deadline { .. }), "{late}");
    assert_eq!(inside.load(Ordering::SeqCst), 0, "nobody is inside what was borrowed");
    assert_eq!(words, before);
}

#[test]
fn batches_of_borrowed_documents_come_back_in_their_order() {
    let _watch = watch();
    let text = String::from(TEXT);
    let mut words: Vec<&str> = text.split(' ').collect();
    let turn = |batch: &mut Vec<&str>| {
        batch.reverse();
        Ok::<_, Cause>(())
    };
    apply_batch(&mut words, 2, turn).workers(2).run().unwrap();
    assert_eq!(words, ["list", "a", "words", "of", "stands", "that", "outside"]);
}

#[test]
fn a_vectorizer_that_borrows_works_on_one_borrowed_list_after_another_and_gives_a_failure_back() {
    let _watch = watch();
    let (text, seen) = (String::from(TEXT), AtomicUsize::new(0));
    for workers in [0, 2] {
        let measure = |word: &mut &str| {
            seen.fetch_add(1, Ordering::SeqCst);
            if word.is_empty() { Err("no word") } else { Ok(word.len()) }
        };
        let mut vectorizer = Vectorizer::new(measure).workers(workers);
        for _ in 0..2 {
            let lengths = vectorizer.process(text.split(' ')).unwrap();
            assert!(lengths.into_iter().eq(text.split(' ').map(str::len)));
        }
        let failed = vectorizer.process(["a", "", "b"]).unwrap_err();
        assert_eq!(failed.item().map(|failure| failure.document), Some(""));
        assert_eq!(vectorizer.process(&mut text.split(' ').take(1)).unwrap(), [1]);
        assert!(vectorizer.last().unwrap().accounts().balance());
    }
    let words = TEXT.split(' ').count();
    assert!(seen.into_inner() >= 2 * (2 * words + 3));
}
