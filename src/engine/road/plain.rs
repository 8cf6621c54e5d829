//! Plain items: nothing of them owns memory, so that all they take in flight is known before the run.
//!
//! Trivial work on them is over sooner than one thread can hand it to the next, and with few tokens
//! the threads do little else. More tokens cost such items next to nothing.

use super::job::{After, Job};
use crate::schedule::tokens::for_plain_items;
use crate::stage::{Output, plain_bytes};

type Part<J> = <<J as Job>::After as After<<J as Job>::Document, <J as Job>::Output>>::Part;

/// Tokens that the items of this run have at least; 0 where they are not plain.
pub(crate) fn tokens<J: Job>() -> usize {
    for_plain_items(bytes::<J>())
}

/// Bytes of an item on its whole way; `None` where some part of it may own memory.
fn bytes<J: Job>() -> Option<usize> {
    let parts = [
        plain_bytes::<J::Document>(),
        plain_bytes::<J::Prepared>(),
        J::Output::ROW_BYTES,
        plain_bytes::<Part<J>>(),
    ];
    parts.into_iter().try_fold(0_usize, |sum, part| Some(sum.saturating_add(part?)))
}
