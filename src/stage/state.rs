//! A CPU stage with state a worker.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Mutex, PoisonError};

use super::{CpuStage, IntoResult};
use crate::error::Cause;

/// A CPU stage whose calls each borrow a state: a decoder, a model, a connection.
///
/// `init(rank)` makes a state when all others are in use, so there are at most as many as calls run
/// at once; `rank` counts from 0. A call that panics loses its state, and its rank is given again.
///
/// ```
/// use gapless::{Cause, CpuStage, with_state};
/// let stage = with_state(
///     |rank| vec![rank as u8],
///     |scratch: &mut Vec<u8>, doc: &mut u8| {
///         scratch.push(*doc);
///         Ok::<_, Cause>(scratch.len())
///     },
/// );
/// assert_eq!(stage.prepare(&mut 7).unwrap(), 2);
/// assert_eq!(stage.prepare(&mut 7).unwrap(), 3, "the same state was borrowed again");
/// ```
pub fn with_state<S, D, R, I, F>(init: I, prepare: F) -> WithState<S, I, F>
where
    S: Send,
    I: Fn(usize) -> S + Send + Sync,
    F: Fn(&mut S, &mut D) -> R + Send + Sync,
    R: IntoResult<Value: Send>,
{
    WithState {
        init,
        prepare,
        states: Mutex::new(States { free: Vec::new(), ranks: BinaryHeap::new(), made: 0 }),
    }
}

/// See [`with_state`].
#[derive(Debug)]
pub struct WithState<S, I, F> {
    init: I,
    prepare: F,
    states: Mutex<States<S>>,
}

#[derive(Debug)]
struct States<S> {
    free: Vec<(usize, S)>,
    /// Ranks whose state was lost to a panic.
    ranks: BinaryHeap<Reverse<usize>>,
    made: usize,
}

impl<S, I, F> WithState<S, I, F> {
    fn with<R>(&self, change: impl FnOnce(&mut States<S>) -> R) -> R {
        change(&mut self.states.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn check_out(&self) -> Result<(usize, S), usize> {
        self.with(|states| {
            states.free.pop().ok_or_else(|| match states.ranks.pop() {
                Some(Reverse(rank)) => rank,
                None => {
                    states.made += 1;
                    states.made - 1
                }
            })
        })
    }
}

impl<S, D, R, I, F> CpuStage<D> for WithState<S, I, F>
where
    S: Send,
    I: Fn(usize) -> S + Send + Sync,
    F: Fn(&mut S, &mut D) -> R + Send + Sync,
    R: IntoResult<Value: Send>,
{
    type Prepared = R::Value;

    fn prepare(&self, document: &mut D) -> Result<R::Value, Cause> {
        let checked_out = self.check_out();
        let rank = match &checked_out {
            Ok((rank, _)) | Err(rank) => *rank,
        };
        // The rank comes back when `init` or `prepare` panics; disarmed below when the call returns.
        let mut lost = LostRank { stage: self, rank: Some(rank) };
        let mut state = checked_out.map_or_else(&self.init, |(_, state)| state);
        let prepared = (self.prepare)(&mut state, document);
        lost.rank = None;
        self.with(|states| states.free.push((rank, state)));
        prepared.into_result()
    }
}

struct LostRank<'a, S, I, F> {
    stage: &'a WithState<S, I, F>,
    rank: Option<usize>,
}

impl<S, I, F> Drop for LostRank<'_, S, I, F> {
    fn drop(&mut self) {
        if let Some(rank) = self.rank {
            self.stage.with(|states| states.ranks.push(Reverse(rank)));
        }
    }
}
