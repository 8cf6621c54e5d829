//! Documents that are lent are all back, whatever user code does: one fault each.
//!
//! What a batch had taken when it panicked is its own; everything else comes back, in its order.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use gapless::parallel::{self, Applied, ApplyError};
use gapless::{Cause, CpuStage, Error, OnFailure, Stage};

use crate::support::{planted_panic, watch};

/// What a word does to the lot that it goes into and comes out of, and to the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    SlowToGather,
    PanicsWhenGathered,
    LastOfItsLot,
    PanicsWhenSpilled,
    Fails,
    PanicsInStage,
}

#[derive(Debug, PartialEq)]
struct Word {
    id: u64,
    fault: Fault,
}

/// A batch type with all the faults that one can have.
struct Lot(Vec<Word>);

impl FromIterator<Word> for Lot {
    fn from_iter<I: IntoIterator<Item = Word>>(words: I) -> Self {
        let mut lot = Vec::new();
        for word in words {
            match word.fault {
                Fault::SlowToGather => slowly(),
                Fault::PanicsWhenGathered => planted_panic(),
                _ => {}
            }
            let last = word.fault == Fault::LastOfItsLot;
            lot.push(word);
            if last {
                break;
            }
        }
        Self(lot)
    }
}

/// Longer than a source is waited for that may be a live one.
fn slowly() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(100) {
        std::thread::park_timeout(Duration::from_millis(10));
    }
}

impl IntoIterator for Lot {
    type Item = Word;
    type IntoIter = Spilled;

    fn into_iter(self) -> Spilled {
        Spilled(self.0.into_iter())
    }
}

struct Spilled(std::vec::IntoIter<Word>);

impl Iterator for Spilled {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        let word = self.0.next()?;
        if word.fault == Fault::PanicsWhenSpilled {
            planted_panic();
        }
        Some(word)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, Some(0))
    }
}

fn work(words: &[Word]) -> Result<u64, Cause> {
    for word in words {
        match word.fault {
            Fault::Fails => return Err(Cause::msg("planted")),
            Fault::PanicsInStage => planted_panic(),
            _ => {}
        }
    }
    Ok(words.first().map_or(0, |word| word.id))
}

const WORDS: u64 = 24;

/// So many words, of which those have this fault.
fn words(fault: Fault, which: impl Fn(u64) -> bool) -> Vec<Word> {
    (0..WORDS).map(|id| Word { id, fault: if which(id) { fault } else { Fault::None } }).collect()
}

fn ids(words: &[Word]) -> Vec<u64> {
    words.iter().map(|word| word.id).collect()
}

fn apply_lots(words: &mut Vec<Word>, workers: usize) -> Result<Applied, ApplyError> {
    parallel::apply_batch(words, 4, |lot: &mut Lot| work(&lot.0)).workers(workers).run()
}

/// All but those.
fn without(lost: impl Fn(u64) -> bool) -> Vec<u64> {
    (0..WORDS).filter(|id| !lost(*id)).collect()
}

/// At each place, with and without workers.
fn everywhere(mut check: impl FnMut(u64, usize)) {
    let _watch = watch();
    for place in 0..WORDS {
        for workers in [0, 1, 3] {
            check(place, workers);
        }
    }
}

#[test]
fn a_batch_that_is_being_made_while_one_before_it_fails_is_back() {
    let _watch = watch();
    for workers in [0, 1, 2] {
        let mut words = words(Fault::SlowToGather, |id| id % 4 == 3);
        words[0].fault = Fault::Fails;
        let error = apply_lots(&mut words, workers).expect_err("the first lot fails");
        assert!(matches!(error.error, Error::Stopped { .. }), "{error}");
        assert_eq!(ids(&words), without(|_| false), "{workers} workers");
    }
}

#[test]
fn what_a_batch_had_not_taken_when_it_panicked_is_back() {
    everywhere(|place, workers| {
        let mut words = words(Fault::PanicsWhenGathered, |id| id == place);
        let error = apply_lots(&mut words, workers).expect_err("a lot cannot be made").error;
        let first = place / 4 * 4;
        assert!(matches!(error, Error::Source { position, .. } if position.get() == first), "{error}");
        assert_eq!(ids(&words), without(|id| (first..=place).contains(&id)));
    });
}

#[test]
fn what_a_batch_does_not_take_goes_into_the_next() {
    everywhere(|place, workers| {
        let mut words = words(Fault::LastOfItsLot, |id| id == place);
        apply_lots(&mut words, workers).expect("nothing fails");
        assert_eq!(ids(&words), without(|_| false));
        words.last_mut().unwrap().fault = Fault::Fails;
        let failures = apply_lots(&mut words, workers).expect_err("the last fails").failures;
        let ends = |first, id| if id == place || id - first == 3 { id + 1 } else { first };
        let first = (0..WORDS - 1).fold(0, ends);
        assert_eq!(failures[0].position.get(), first, "with the last of a lot at {place}");
    });
}

#[test]
fn a_batch_that_takes_nothing_is_an_error_and_no_endless_loop() {
    struct Nothing;
    impl FromIterator<Word> for Nothing {
        fn from_iter<I: IntoIterator<Item = Word>>(_: I) -> Self {
            Self
        }
    }
    impl IntoIterator for Nothing {
        type Item = Word;
        type IntoIter = std::vec::IntoIter<Word>;

        fn into_iter(self) -> Self::IntoIter {
            Vec::new().into_iter()
        }
    }
    let _watch = watch();
    for workers in [0, 2] {
        let mut words = words(Fault::None, |_| false);
        let done = |_: &mut Nothing| Ok::<_, Cause>(());
        let error =
            parallel::apply_batch(&mut words, 4, done).workers(workers).run().expect_err("it takes none");
        assert!(error.to_string().contains("took none of the documents"), "{error}");
        assert_eq!(ids(&words), without(|_| false));
    }
}

#[test]
fn what_a_batch_gives_out_beside_a_panic_is_back_and_the_panic_is_told() {
    everywhere(|place, workers| {
        let mut words = words(Fault::PanicsWhenSpilled, |id| id == place);
        let error = apply_lots(&mut words, workers).expect_err("one cannot be taken out");
        assert!(matches!(&error.error, Error::Documents { cause, .. } if cause.is_panic()), "{error}");
        let failure = &error.failures[0];
        assert_eq!((failure.position.get(), failure.stage), (place / 4 * 4, Stage::Source));
        assert_eq!(ids(&words), without(|id| id == place));
    });
}

#[test]
fn a_stage_that_fails_or_panics_leaves_every_document_where_it_was() {
    everywhere(|place, workers| {
        for fault in [Fault::Fails, Fault::PanicsInStage] {
            let mut in_lots = words(fault, |id| id == place);
            let error = apply_lots(&mut in_lots, workers).expect_err("a lot fails");
            assert!(
                matches!(error.error, Error::Stopped { position, .. } if position.get() == place / 4 * 4),
                "{error}"
            );
            assert_eq!(in_lots, words(fault, |id| id == place));
            let mut single = words(fault, |id| id == place);
            let one = |word: &mut Word| work(std::slice::from_ref(word));
            let error = parallel::apply(&mut single, one).workers(workers).run().expect_err("a word fails");
            assert_eq!(error.failures[0].position.get(), place);
            assert_eq!(single, in_lots);
        }
    });
}

/// Runs it, and takes a panic that it lets through.
fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

#[test]
fn documents_are_back_when_a_function_of_the_callers_panics_or_fails() {
    everywhere(|place, workers| {
        let one = |word: &mut Word| work(std::slice::from_ref(word));
        let all = words(Fault::None, |_| false);
        let mut documents = words(Fault::None, |_| false);
        let told = move |progress: &gapless::Progress| {
            if progress.delivered > place {
                planted_panic();
            }
        };
        let apply = parallel::apply(&mut documents, one).workers(workers).progress(told);
        assert!(caught(|| apply.run().is_ok()).is_none(), "the panic comes through");
        assert_eq!(documents, all);
        let lots = parallel::apply_batch(&mut documents, 1, |lot: &mut Lot| work(&lot.0));
        assert!(caught(|| lots.workers(workers).progress(told).run().is_ok()).is_none());
        assert_eq!(documents, all);
        let apply = parallel::apply(&mut documents, one).workers(workers);
        let panics = |id| {
            if id == place {
                planted_panic()
            }
        };
        assert!(caught(|| apply.run_with(panics).is_ok()).is_none());
        assert_eq!(documents, all);
        let apply = parallel::apply_batch(&mut documents, 1, |lot: &mut Lot| work(&lot.0)).workers(workers);
        let fails = |id| if id == place { Err(Cause::msg("planted")) } else { Ok(()) };
        let error = apply.run_with(fails).expect_err("the caller's function fails");
        assert_eq!(error.to_string(), "planted");
        assert_eq!(documents, all);
    });
}

/// A document that may not be dropped.
#[derive(Debug)]
struct Bomb(u64);

impl Drop for Bomb {
    fn drop(&mut self) {
        planted_panic();
    }
}

fn bombs() -> Vec<Bomb> {
    (0..WORDS).map(Bomb).collect()
}

/// Their numbers; they are never dropped.
fn defused(bombs: impl IntoIterator<Item = Bomb>) -> Vec<u64> {
    bombs.into_iter().map(|bomb| std::mem::ManuallyDrop::new(bomb).0).collect()
}

fn fails_at(place: u64) -> impl CpuStage<Bomb, Prepared = u64> {
    move |bomb: &mut Bomb| if bomb.0 == place { Err(Cause::msg("planted")) } else { Ok(bomb.0) }
}

#[test]
fn a_document_that_may_not_be_dropped_is_not() {
    everywhere(|place, workers| {
        for on_failure in [OnFailure::Stop, OnFailure::Skip] {
            let mut documents = bombs();
            let apply =
                parallel::apply(&mut documents, fails_at(place)).workers(workers).on_failure(on_failure);
            assert_eq!(apply.run().is_ok(), on_failure == OnFailure::Skip);
            let count = |batch: &mut Vec<Bomb>| Ok::<_, Cause>(batch.len());
            parallel::apply_batch(&mut documents, 5, count).workers(workers).run().expect("nothing fails");
            assert_eq!(defused(documents), without(|_| false));
        }
    });
}

#[test]
fn a_run_whose_documents_panic_when_dropped_can_be_dropped_anywhere() {
    everywhere(|place, workers| {
        let mut run = parallel::map((0..).map(Bomb), fails_at(WORDS)).workers(workers).run();
        for result in run.by_ref().take(place as usize) {
            let (bomb, id) = result.expect("before the one that fails");
            assert_eq!(defused([bomb]), [id]);
        }
        drop(run);
        // Two more than whole lots: they stand in none.
        let source = (0..10 * place + 2).map(Bomb).chain(std::iter::from_fn(|| planted_panic()));
        let run = parallel::map_batch(source, 5, |lot: &mut Defused| Ok::<_, Cause>(lot.0)).workers(workers);
        let _some = run.run().take(place as usize % 3).count();
    });
}

/// How many bombs there were, and that none of them is dropped.
struct Defused(usize);

impl FromIterator<Bomb> for Defused {
    fn from_iter<I: IntoIterator<Item = Bomb>>(bombs: I) -> Self {
        Self(defused(bombs).len())
    }
}

/// A stage whose `Drop` panics.
struct Fuse;

impl CpuStage<Word> for Fuse {
    type Prepared = ();

    fn prepare(&self, _: &mut Word) -> Result<(), Cause> {
        Ok(())
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        planted_panic();
    }
}

#[test]
fn documents_are_back_when_the_run_cannot_even_start() {
    let _watch = watch();
    let mut documents = words(Fault::None, |_| false);
    let refused = parallel::apply(&mut documents, Fuse).workers(usize::MAX);
    assert_eq!(caught(|| refused.run().is_ok()), Some(false), "the drop of the stage changes nothing");
    assert_eq!(documents, words(Fault::None, |_| false));
    assert!(caught(|| parallel::apply(&mut documents, Fuse).workers(2).run().is_ok()).is_some());
    assert_eq!(documents, words(Fault::None, |_| false));
}
