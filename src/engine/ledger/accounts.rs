//! The accounts of a run while it goes on: every document that was pulled ends in one of four places.
//!
//! `pulled = delivered + failed + cancelled + stuck`, at every ending. An item weighs what it weighed when it was
//! pulled: user code that takes documents out of it, or adds some, changes no account.
//!
//! What is stuck is what user code has not given back when the run gave up waiting for it. It is no count of its
//! own but what is left: a call that returns later gives its documents back, and they are cancelled then.

use std::sync::atomic::Ordering;

use super::super::seam::atomics::{AtomicBool, AtomicU64};
use crate::observe::accounts::Accounts;
use crate::place::Position;

pub(crate) struct Books {
    pub(crate) weights: Weights,
    /// The feeder alone writes it, before anybody else can see the document.
    pulled: AtomicU64,
    /// Items of these documents. Written with them.
    items_pulled: AtomicU64,
    delivered: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    /// Documents that went through the line.
    seen: AtomicU64,
    batches_out: AtomicU64,
    /// Documents that the source had given for an item that was never whole. Known once the run has ended.
    gathered: AtomicU64,
    closed: AtomicBool,
    /// Whether some user code had not returned then.
    left_behind: AtomicBool,
}

impl Books {
    pub(super) fn new(documents: u64) -> Self {
        Self {
            weights: Weights {
                each: documents,
                odd: AtomicU64::new(u64::MAX),
                odd_weight: AtomicU64::new(0),
            },
            pulled: AtomicU64::new(0),
            items_pulled: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            batches_out: AtomicU64::new(0),
            gathered: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            left_behind: AtomicBool::new(false),
        }
    }

    /// The feeder has pulled an item of so many documents.
    pub(crate) fn pull(&self, position: Position, documents: u64) {
        self.weights.note(position, documents);
        let before = self.pulled.load(Ordering::Relaxed);
        self.items_pulled.store(position.0 + 1, Ordering::Release);
        self.pulled.store(before + documents, Ordering::Release);
    }

    pub(crate) fn items_pulled(&self) -> u64 {
        self.items_pulled.load(Ordering::Acquire)
    }

    pub(crate) fn deliver(&self, delivered: u64, failed: u64) {
        self.delivered.fetch_add(delivered, Ordering::Release);
        if failed > 0 {
            self.failed.fetch_add(failed, Ordering::Release);
        }
    }

    pub(crate) fn cancel(&self, documents: u64) {
        self.cancelled.fetch_add(documents, Ordering::Release);
    }

    /// So many documents have gone through the line. Written under its lock.
    pub(crate) fn sees(&self, documents: u64) {
        let before = self.seen.load(Ordering::Relaxed);
        self.seen.store(before + documents, Ordering::Relaxed);
    }

    pub(crate) fn seen(&self) -> u64 {
        self.seen.load(Ordering::Relaxed)
    }

    /// A batch has come out with all its parts. The caller alone writes it.
    pub(crate) fn batch_is_out(&self) {
        self.batches_out.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn batches_out(&self) -> u64 {
        self.batches_out.load(Ordering::Relaxed)
    }

    /// Closes the accounts. Where all user code has returned, a document that is missing is a bug of ours and
    /// stays visible as one.
    pub(crate) fn close(&self, all_returned: bool) {
        self.left_behind.store(!all_returned, Ordering::Release);
        self.closed.store(true, Ordering::Release);
    }

    /// So many documents stood in no item when the run ended: they were pulled, and do not come out.
    pub(crate) fn gathered(&self, documents: u64) {
        self.gathered.store(documents, Ordering::Release);
    }

    /// Whether it is known what does not come out.
    pub(crate) fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn accounts(&self) -> Accounts {
        // What was pulled is read last: nothing can have ended before it was pulled.
        let closed = self.closed() && self.left_behind.load(Ordering::Acquire);
        let [delivered, failed, cancelled] =
            [&self.delivered, &self.failed, &self.cancelled].map(|count| count.load(Ordering::Acquire));
        let pulled = self.pulled.load(Ordering::Acquire);
        let left = pulled.saturating_sub(delivered + failed + cancelled);
        let gathered = self.gathered.load(Ordering::Acquire);
        Accounts {
            pulled: pulled + gathered,
            delivered,
            failed,
            cancelled: cancelled + gathered,
            stuck: if closed { left } else { 0 },
        }
    }
}

/// Documents in an item, as it was pulled: as many in each, but for the last, which may be short.
pub(crate) struct Weights {
    each: u64,
    odd: AtomicU64,
    odd_weight: AtomicU64,
}

impl Weights {
    fn note(&self, position: Position, documents: u64) {
        if documents != self.each {
            self.odd_weight.store(documents, Ordering::Relaxed);
            self.odd.store(position.0, Ordering::Release);
        }
    }

    /// Documents in the item at this place.
    pub(crate) fn of(&self, position: Position) -> u64 {
        if self.odd.load(Ordering::Acquire) == position.0 {
            self.odd_weight.load(Ordering::Relaxed)
        } else {
            self.each
        }
    }

    /// Documents in all of these items.
    pub(crate) fn of_all(&self, positions: impl ExactSizeIterator<Item = Position>) -> u64 {
        if self.odd.load(Ordering::Acquire) == u64::MAX {
            return self.each * positions.len() as u64;
        }
        positions.map(|position| self.of(position)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_item_may_be_short_and_all_others_weigh_the_same() {
        let books = Books::new(4);
        for (position, documents) in [(0, 4), (1, 4), (2, 3)] {
            books.pull(Position(position), documents);
        }
        assert_eq!([0, 1, 2].map(|position| books.weights.of(Position(position))), [4, 4, 3]);
        assert_eq!(books.weights.of_all([1, 2].map(Position).into_iter()), 7);
        assert_eq!(books.accounts().pulled, 11);
    }

    #[test]
    fn what_user_code_gives_back_late_is_stuck_no_more() {
        let books = Books::new(1);
        (0..3).for_each(|position| books.pull(Position(position), 1));
        books.deliver(1, 0);
        books.close(false);
        assert_eq!((books.accounts().stuck, books.accounts().balance()), (2, true));
        books.cancel(1);
        assert_eq!((books.accounts().stuck, books.accounts().balance()), (1, true));
    }

    #[test]
    fn a_document_that_is_missing_though_all_have_returned_is_seen() {
        let books = Books::new(1);
        books.pull(Position(0), 1);
        books.close(true);
        assert!(!books.accounts().balance());
    }
}
