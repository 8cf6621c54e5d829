//! Documents that stand in no batch yet, and how batches are made of them.
//!
//! A document that was pulled has an owner at every moment. Until a batch is made of it that is a [`Rest`],
//! which whoever started the run holds too: so what stands there while a source waits for its next document
//! can be given back, and so can what a batch's `FromIterator` had not taken when it panicked. A list in
//! memory is a rest from the start, and lent to a run from there.
//!
//! No lock is held here while user code runs, and a document is dropped by nobody but its last owner.
//!
//! Uses: `engine` (how user code is called). Used by: `parallel`, `doc`.

use std::any::Any;
use std::collections::VecDeque;
use std::iter::Empty;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use super::drop_each;
use crate::place::Position;

/// Documents that stand in no batch, in their order: pulled from one end, given back by whoever asks.
pub struct Rest<D> {
    state: Arc<Mutex<State<D>>>,
    places: Places,
}

/// Where the items of a list in memory begin: a batch may take fewer documents than it is offered.
#[derive(Clone, Default)]
pub(crate) struct Places(Arc<Mutex<Begun>>);

#[derive(Default)]
struct Begun {
    /// Documents that were taken out of the list.
    taken: u64,
    /// How many had been taken before each batch, where that is noted.
    starts: Vec<u64>,
}

impl Places {
    fn with<R>(&self, change: impl FnOnce(&mut Begun) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The first document of the item at this place.
    pub(crate) fn first_of(&self, item: Position) -> Position {
        self.with(|begun| match begun.starts.get(item.0 as usize) {
            Some(first) => Position(*first),
            None if begun.starts.is_empty() => item,
            None => Position(begun.taken),
        })
    }
}

struct State<D> {
    documents: VecDeque<D>,
    /// No more batches are made of what comes.
    closed: bool,
    /// Documents that were given back.
    given_back: u64,
}

impl<D> Rest<D> {
    /// These documents, none of which a run has taken.
    pub(crate) fn of(documents: Vec<D>) -> Self {
        let state = State { documents: documents.into(), closed: false, given_back: 0 };
        Self { state: Arc::new(Mutex::new(state)), places: Places::default() }
    }

    fn with<R>(&self, change: impl FnOnce(&mut State<D>) -> R) -> R {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn len(&self) -> usize {
        self.with(|state| state.documents.len())
    }

    /// Makes no more batches: what comes from a source now comes after the end of its run.
    pub(crate) fn close(&self) {
        self.with(|state| state.closed = true);
    }

    /// Documents that stand in no batch, or stood in none when they were given back.
    pub(crate) fn left_over(&self) -> u64 {
        self.with(|state| state.given_back + state.documents.len() as u64)
    }

    fn is_closed(&self) -> bool {
        self.with(|state| state.closed)
    }

    /// Everything that stands here.
    pub(crate) fn give_back(&self) -> VecDeque<D> {
        self.with(|state| {
            state.given_back += state.documents.len() as u64;
            std::mem::take(&mut state.documents)
        })
    }

    /// Where its items begin.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// The next document.
    fn pop(&self) -> Option<D> {
        let document = self.with(|state| state.documents.pop_front())?;
        self.places.with(|begun| begun.taken += 1);
        Some(document)
    }

    /// Puts a document at the end and says how many stand here; `None` where it is the last, since nothing more
    /// is taken in: it can be given back all the same.
    fn put(&self, document: D) -> Option<usize> {
        self.with(|state| {
            state.documents.push_back(document);
            (!state.closed).then_some(state.documents.len())
        })
    }

    /// A batch of at most so many documents; `None` where it took none of them. What it leaves stays here,
    /// also when it panics.
    fn batch<B: FromIterator<D>>(&self, most: usize) -> Option<B> {
        let mut offered = Offered { rest: self, left: most, taken: false };
        let batch = B::from_iter(offered.by_ref());
        offered.taken.then_some(batch)
    }
}

impl<D> Clone for Rest<D> {
    fn clone(&self) -> Self {
        Self { state: self.state.clone(), places: self.places.clone() }
    }
}

/// One document after the other: the source of a run over a list in memory.
impl<D> Iterator for Rest<D> {
    type Item = D;

    fn next(&mut self) -> Option<D> {
        self.pop()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.len();
        (left, Some(left))
    }
}

impl<D> Drop for State<D> {
    fn drop(&mut self) {
        drop_each(self.documents.drain(..));
    }
}

/// Documents that a batch may take. It takes them one by one, so the others keep their owner meanwhile.
struct Offered<'a, D> {
    rest: &'a Rest<D>,
    left: usize,
    taken: bool,
}

impl<D> Iterator for Offered<'_, D> {
    type Item = D;

    fn next(&mut self) -> Option<D> {
        self.left = self.left.checked_sub(1)?;
        let document = self.rest.pop()?;
        self.taken = true;
        Some(document)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.rest.len().min(self.left);
        (left, Some(left))
    }
}

/// A source in batches; only the last may be short, unless a batch takes fewer documents than it is offered:
/// then the next begins with those.
pub(crate) struct Gather<I: Iterator, B> {
    source: I,
    /// Whether the source has ended: it is not asked again, and dropped with this and no sooner.
    ended: bool,
    rest: Rest<I::Item>,
    batch_size: usize,
    /// The source panicked with documents gathered; batches of those come out first.
    panicked: Option<Box<dyn Any + Send>>,
    notes: bool,
    batches: PhantomData<fn() -> B>,
}

impl<I: Iterator, B> Gather<I, B> {
    pub(crate) fn new(source: I, batch_size: usize) -> Self {
        Self::over(Rest::of(Vec::new()), source, batch_size, false)
    }

    fn over(rest: Rest<I::Item>, source: I, batch_size: usize, notes: bool) -> Self {
        Self { source, ended: false, rest, batch_size, panicked: None, notes, batches: PhantomData }
    }

    /// Who has the documents that stand in no batch yet.
    pub(crate) fn rest(&self) -> Rest<I::Item> {
        self.rest.clone()
    }

    /// Pulls until a batch is full, or as far as the source goes.
    fn fill(&mut self) {
        let mut standing = self.rest.len();
        while standing < self.batch_size && self.panicked.is_none() && !self.ended {
            match catch_unwind(AssertUnwindSafe(|| self.source.next())) {
                Ok(None) => self.ended = true,
                Ok(Some(document)) => match self.rest.put(document) {
                    Some(now) => standing = now,
                    None => return,
                },
                Err(payload) => self.panicked = Some(payload),
            }
        }
    }
}

impl<D, B> Gather<Empty<D>, B> {
    /// Batches of a list in memory, whose first documents are noted: see [`Places`].
    pub(crate) fn list(documents: Rest<D>, batch_size: usize) -> Self {
        Self::over(documents, std::iter::empty(), batch_size, true)
    }
}

impl<I: Iterator, B: FromIterator<I::Item>> Iterator for Gather<I, B> {
    type Item = B;

    fn next(&mut self) -> Option<B> {
        self.fill();
        if self.rest.is_closed() {
            return None;
        }
        if self.rest.len() == 0 {
            return self.panicked.take().map(|payload| resume_unwind(payload));
        }
        if self.notes {
            self.rest.places.with(|begun| begun.starts.push(begun.taken));
        }
        let batch = self.rest.batch(self.batch_size);
        // It would take none of them the next time either. A source has no other word for it.
        let none = || resume_unwind(Box::new("a batch took none of the documents that it was offered"));
        Some(batch.unwrap_or_else(none))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let standing = self.rest.len();
        let batches = |documents: usize| documents.saturating_add(standing).div_ceil(self.batch_size.max(1));
        let (least, most) = self.source.size_hint();
        (batches(least), most.map(batches))
    }
}

/// What was gathered and is in no batch when a run ends, as batches.
pub(crate) trait Gathered<B>: Send {
    /// The run is over: nothing more is gathered.
    fn close(&self);
    /// Whether documents stand here.
    fn holds(&self) -> bool;
    /// A batch of all that stand here; `None` where it takes none.
    fn batch(&self) -> Option<B>;
}

impl<D: Send, B: FromIterator<D>> Gathered<B> for Rest<D> {
    fn close(&self) {
        Rest::close(self);
    }

    fn holds(&self) -> bool {
        self.len() > 0
    }

    fn batch(&self) -> Option<B> {
        Rest::batch(self, usize::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three documents and no more; panics at the fifth of the source, and drops nothing by itself.
    #[derive(Debug, PartialEq)]
    struct Three(Vec<u32>);

    impl FromIterator<u32> for Three {
        fn from_iter<I: IntoIterator<Item = u32>>(documents: I) -> Self {
            let each = |document| if document == 104 { resume_unwind(Box::new("planned")) } else { document };
            Self(documents.into_iter().take(3).map(each).collect())
        }
    }

    fn panics<T>(call: impl FnOnce() -> T) -> bool {
        catch_unwind(AssertUnwindSafe(call)).is_err()
    }

    #[test]
    fn a_vector_is_gathered_like_any_batch() {
        let batches = Vec::from_iter(Gather::<_, Vec<u32>>::new(0..10, 4));
        assert_eq!(batches, [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]]);
        assert_eq!(Gather::<_, Vec<u32>>::new(0..10, 4).size_hint(), (3, Some(3)));
    }

    #[test]
    fn what_a_batch_does_not_take_is_in_the_next_and_the_places_say_so() {
        let list = Rest::of(Vec::from_iter(0..8));
        let batches = Vec::from_iter(Gather::<_, Three>::list(list.clone(), 4));
        assert_eq!(batches, [Three(vec![0, 1, 2]), Three(vec![3, 4, 5]), Three(vec![6, 7])]);
        let firsts = [0, 1, 2, 3].map(|batch| list.places().first_of(Position(batch)).0);
        assert_eq!(firsts, [0, 3, 6, 8]);
    }

    #[test]
    fn what_a_batch_had_not_taken_when_it_panicked_is_still_there() {
        let mut gather = Gather::<_, Three>::new(100..110, 4);
        let rest = gather.rest();
        assert_eq!(gather.next(), Some(Three(vec![100, 101, 102])));
        assert!(panics(|| gather.next()));
        assert_eq!(rest.give_back(), [105, 106], "those before the panic are its own");
    }

    #[test]
    fn a_source_that_panics_does_so_behind_everything_that_it_gave() {
        let source = (0..9).inspect(|number| {
            if *number == 6 {
                resume_unwind(Box::new("planned"))
            }
        });
        let mut gather = Gather::<_, Vec<u32>>::new(source, 4);
        assert_eq!([gather.next(), gather.next()], [Some(vec![0, 1, 2, 3]), Some(vec![4, 5])]);
        assert!(panics(|| gather.next()));
    }

    #[test]
    fn a_batch_that_takes_none_is_no_endless_loop() {
        struct Nothing;
        impl FromIterator<u32> for Nothing {
            fn from_iter<I: IntoIterator<Item = u32>>(_: I) -> Self {
                Self
            }
        }
        let mut gather = Gather::<_, Nothing>::new(0..9, 4);
        let rest = gather.rest();
        assert!(panics(|| gather.next()));
        assert_eq!(rest.give_back(), [0, 1, 2, 3]);
    }

    #[test]
    fn while_a_source_waits_what_it_gave_can_be_given_back() {
        let (give, source) = std::sync::mpsc::sync_channel(0);
        let mut gather = Gather::<_, Vec<u32>>::new(source.into_iter(), 4);
        let rest = gather.rest();
        std::thread::scope(|scope| {
            scope.spawn(move || assert_eq!(gather.next(), None));
            (0..3).for_each(|document| give.send(document).unwrap());
            while rest.len() < 3 {
                std::thread::yield_now();
            }
            rest.close();
            assert_eq!(rest.give_back(), [0, 1, 2]);
            give.send(3).unwrap();
        });
    }
}
