//! What a CPU stage may ask of the run that calls it.

use std::fmt;
use std::time::Duration;

use super::{CpuStage, IntoResult};
use crate::error::Cause;
use crate::place::Position;

/// What a call of a CPU stage may ask of its run: which document this is, which worker, and whether the run goes on.
///
/// It is what [`CpuStage::prepare_in`] and the closures of [`with_context`] get. A call that waits (for a server, a
/// lock, another process) should look at [`is_stopped`](Self::is_stopped) now and then, or wait by
/// [`wait`](Self::wait): then no stop has to leave it behind.
pub struct Context<'a> {
    position: Position,
    rank: fn() -> usize,
    run: Option<&'a dyn Goes>,
}

/// A run, as far as a stage sees it.
pub(crate) trait Goes: Sync {
    fn is_stopped(&self) -> bool;
    /// Rests for so long, or until it is stopped.
    fn rest(&self, time: Duration);
}

impl<'a> Context<'a> {
    pub(crate) fn new(position: Position, rank: fn() -> usize, run: &'a dyn Goes) -> Self {
        Self { position, rank, run: Some(run) }
    }

    /// The context of a call that belongs to no run: the first document, on the first worker, and nobody stops it.
    /// For stages that are called by hand, as in tests.
    pub fn alone() -> Self {
        Self { position: Position(0), rank: || 0, run: None }
    }

    /// Place of the document in the source.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Which of the workers this is, from 0; 0 where the caller does the work.
    pub fn rank(&self) -> usize {
        (self.rank)()
    }

    /// Whether nothing more of the run comes out, so that what this call is at is for nothing. Once it is true it
    /// stays so.
    pub fn is_stopped(&self) -> bool {
        self.run.is_some_and(Goes::is_stopped)
    }

    /// Waits for so long, or until the run is stopped; true where it goes on. What else the call waits for should
    /// be asked for in slices, with this between them.
    #[expect(clippy::disallowed_methods, reason = "alone there is nobody who could end the wait")]
    pub fn wait(&self, time: Duration) -> bool {
        match self.run {
            Some(run) => run.rest(time),
            None => std::thread::sleep(time),
        }
        !self.is_stopped()
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("position", &self.position)
            .field("rank", &self.rank())
            .field("is_stopped", &self.is_stopped())
            .finish()
    }
}

/// A CPU stage whose calls see their run: see [`with_context`].
pub struct WithContext<F>(F);

/// A CPU stage whose closure sees its run: its document's place, its worker, and whether it goes on.
///
/// ```
/// use gapless::{Cause, Context, parallel, with_context};
/// use std::time::Duration;
///
/// /// A server that is busy at first.
/// fn ask(uri: &str, attempt: u32) -> Option<usize> {
///     (attempt > 1).then_some(uri.len())
/// }
/// let patient = with_context(|uri: &mut String, context: &Context| {
///     for attempt in 0.. {
///         if let Some(answer) = ask(uri, attempt) {
///             return Ok(answer);
///         }
///         if !context.wait(Duration::from_millis(1)) {
///             break; // whoever stops the run need not wait for this call
///         }
///     }
///     Err(Cause::msg("the run was stopped"))
/// });
/// assert_eq!(parallel(patient, ["a".to_string(), "bc".to_string()]).collect()?, [1, 2]);
/// # Ok::<(), parallel::Failed<String>>(())
/// ```
pub fn with_context<D, R, F>(prepare: F) -> WithContext<F>
where
    F: Fn(&mut D, &Context<'_>) -> R + Send + Sync,
    R: IntoResult,
    R::Value: Send,
{
    WithContext(prepare)
}

impl<D, R, F> CpuStage<D> for WithContext<F>
where
    F: Fn(&mut D, &Context<'_>) -> R + Send + Sync,
    R: IntoResult,
    R::Value: Send,
{
    type Prepared = R::Value;

    fn prepare(&self, document: &mut D) -> Result<R::Value, Cause> {
        self.prepare_in(document, &Context::alone())
    }

    fn prepare_in(&self, document: &mut D, context: &Context<'_>) -> Result<R::Value, Cause> {
        (self.0)(document, context).into_result()
    }
}

impl<F> fmt::Debug for WithContext<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithContext").finish_non_exhaustive()
    }
}
