//! What a run gives of each item: the only thing in which `parallel` and `map` differ.

use super::failed::{Failed, MapError, Outcome};
use crate::pipeline::drop_user;

/// What a [`ParallelRun`](super::ParallelRun) gives of each item: [`Outcomes`], [`Pairs`] or [`Alone`].
///
/// ```
/// use gapless::parallel::{ParallelRun, Shape};
/// use gapless::{Cause, parallel};
/// fn last_of_all<D, R, S: Shape<D, R>>(run: ParallelRun<D, R, S>) -> S::Item {
///     run.last().expect("not empty")
/// }
/// let stage = |n: &mut u64| Ok::<_, Cause>(*n * *n);
/// assert_eq!(last_of_all(parallel(stage, 0..4).run()).unwrap().result, 9);
/// assert_eq!(last_of_all(parallel::map(0..4, stage).run()).unwrap(), (3, 9));
/// assert_eq!(last_of_all(parallel(stage, 0..4).into_iter()).unwrap(), 9);
/// ```
pub trait Shape<D, R>: sealed::Sealed {
    /// What the run is an iterator of.
    type Item;

    #[doc(hidden)]
    fn good(outcome: Outcome<D, R>) -> Self::Item;
    #[doc(hidden)]
    fn bad(failed: Failed<D>) -> Self::Item;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Outcomes {}
    impl Sealed for super::Pairs {}
    impl Sealed for super::Alone {}
}

/// Each item beside its result, with its position: `Result<Outcome<D, R>, Failed<D>>`.
#[derive(Debug)]
pub enum Outcomes {}

/// Each item and its result: `Result<(D, R), MapError<D>>`.
#[derive(Debug)]
pub enum Pairs {}

/// Each result alone: `Result<R, Failed<D>>`.
#[derive(Debug)]
pub enum Alone {}

impl<D, R> Shape<D, R> for Outcomes {
    type Item = Result<Outcome<D, R>, Failed<D>>;

    fn good(outcome: Outcome<D, R>) -> Self::Item {
        Ok(outcome)
    }

    fn bad(failed: Failed<D>) -> Self::Item {
        Err(failed)
    }
}

impl<D, R> Shape<D, R> for Pairs {
    type Item = Result<(D, R), MapError<D>>;

    fn good(outcome: Outcome<D, R>) -> Self::Item {
        Ok((outcome.document, outcome.result))
    }

    fn bad(failed: Failed<D>) -> Self::Item {
        Err(failed.into())
    }
}

impl<D, R> Shape<D, R> for Alone {
    type Item = Result<R, Failed<D>>;

    fn good(outcome: Outcome<D, R>) -> Self::Item {
        drop_user(outcome.document);
        Ok(outcome.result)
    }

    fn bad(failed: Failed<D>) -> Self::Item {
        Err(failed)
    }
}
