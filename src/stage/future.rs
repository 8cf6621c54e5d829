//! A CPU stage whose work is a future.

use std::fmt;
use std::pin::Pin;

use super::{Context, CpuStage, IntoResult};
use crate::error::Cause;

/// What a document will become.
pub(crate) type PreparedLater<P> = Pin<Box<dyn Future<Output = Result<P, Cause>> + Send>>;

/// What has become of a document when its stage returns.
#[doc(hidden)]
pub enum Begun<P> {
    /// It is prepared, or failed.
    Done(Result<P, Cause>),
    /// It will be.
    Later(PreparedLater<P>),
}

impl<P> fmt::Debug for Begun<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done(Ok(_)) => "Done",
            Self::Done(Err(_)) => "Failed",
            Self::Later(_) => "Later",
        })
    }
}

/// A CPU stage that waits: see [`async_stage`].
pub struct AsyncStage<F>(F);

/// A CPU stage whose work is a future: a download, a query, anything that waits for others.
///
/// As many documents wait at once as may be in flight ([`ahead`](crate::parallel::Parallel::ahead)), and none of
/// them holds a worker: a worker begins each future, and polls it once; one thread of the run polls those that wait
/// (with `workers(0)` the caller does). So what a future does between two waits should be short; longer work belongs
/// into the GPU stage or into `then`.
///
/// The future takes from the document what it needs, and does not hold it: the document stays with the engine and
/// comes back whatever becomes of the future, which is dropped where the run ends before. It may be made for any
/// runtime, which has to be entered where the future needs that.
///
/// ```
/// use gapless::{Cause, async_stage, parallel};
/// use std::future::ready;
///
/// let length = async_stage(|uri: &mut String| {
///     let uri = uri.clone();
///     async move {
///         let body = ready(uri + " said nothing").await; // a download
///         Ok::<_, Cause>(body.len())
///     }
/// });
/// let lengths = parallel(length, ["a".to_string(), "b".to_string()]).ahead(1000).collect()?;
/// assert_eq!(lengths, [14, 14]);
/// # Ok::<(), parallel::Failed<String>>(())
/// ```
pub fn async_stage<D, F, T>(begin: F) -> AsyncStage<F>
where
    F: Fn(&mut D) -> T + Send + Sync,
    T: Future<Output: IntoResult<Value: Send>> + Send + 'static,
{
    AsyncStage(begin)
}

impl<D, R, F, T> CpuStage<D> for AsyncStage<F>
where
    F: Fn(&mut D) -> T + Send + Sync,
    T: Future<Output = R> + Send + 'static,
    R: IntoResult,
    R::Value: Send,
{
    type Prepared = R::Value;

    fn prepare(&self, document: &mut D) -> Result<R::Value, Cause> {
        pollster::block_on((self.0)(document)).into_result()
    }

    fn begin(&self, document: &mut D, _: &Context<'_>) -> Begun<R::Value> {
        let future = (self.0)(document);
        Begun::Later(Box::pin(async { future.await.into_result() }))
    }

    fn waits(&self) -> bool {
        true
    }
}

impl<F> fmt::Debug for AsyncStage<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AsyncStage").finish_non_exhaustive()
    }
}
