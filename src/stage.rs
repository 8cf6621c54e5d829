//! What the engine asks of the two halves of a pipeline.
//!
//! A [`CpuStage`] prepares one document on a worker, a [`GpuStage`] runs a batch on a device thread.
//! Both are implemented for closures whose arguments carry their types.
//! Nothing here starts a thread or knows how batches are cut: that is the engine.

mod closure;
mod context;
mod future;
mod output;
mod returned;
mod shared;
mod state;
pub(crate) mod times;

use std::time::Duration;

pub use self::closure::ClosureTicket;
pub(crate) use self::context::Goes;
pub use self::context::{Context, WithContext, with_context};
pub use self::future::{AsyncStage, async_stage};
pub(crate) use self::future::{Begun, PreparedLater};
pub(crate) use self::output::plain_bytes;
pub use self::output::{IntoRows, Output, Rows, Whole};
pub use self::returned::IntoResult;
pub use self::state::{WithState, with_state};
pub use self::times::DeviceTimes;
use crate::error::Cause;

/// The CPU half: prepares one document.
///
/// It runs on the workers, on many documents at once. An `Err` or a panic is a failure of that
/// document alone; what happens then is decided by `Pipeline::on_failure`.
///
/// A closure is a CPU stage when its argument carries its type:
///
/// ```
/// # use gapless::CpuStage;
/// fn check<D, P>(_: &impl CpuStage<D, Prepared = P>) {}
/// let double = |number: &mut u64| *number * 2;
/// check(&double);
/// let parse = |text: &mut String| text.parse::<u64>(); // or any other `Result`: see [`IntoResult`]
/// check(&parse);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a CPU stage for documents of type `{D}`",
    note = "a closure must name its argument's type and return a `Result` or a value: `|doc: &mut {D}| …`"
)]
pub trait CpuStage<D>: Send + Sync {
    /// What one document becomes, and what the GPU half takes.
    type Prepared: Send;

    /// Prepares one document.
    ///
    /// The document stays with the engine and comes back beside its result, with whatever this call
    /// changed in it.
    ///
    /// # Errors
    /// Any error that makes this document unusable; `?` turns any error into a [`Cause`].
    fn prepare(&self, document: &mut D) -> Result<Self::Prepared, Cause>;

    /// As `prepare`, for a stage that asks which document this is, or whether the run goes on. It is what a run
    /// calls; by default it calls `prepare`.
    ///
    /// # Errors
    /// As `prepare`.
    fn prepare_in(&self, document: &mut D, _context: &Context<'_>) -> Result<Self::Prepared, Cause> {
        self.prepare(document)
    }

    /// Takes a prepared item back after the device is done with it, so that its memory can be used again.
    ///
    /// Called for every item that went through the GPU half (and every copy that filled a batch up), after
    /// its result was handed over, on the thread that runs the device.
    fn recycle(&self, _used: Self::Prepared) {}

    /// Most bytes that one prepared item takes, with everything that it owns. Asked for once, before the run
    /// starts, where [`Pipeline::memory`](crate::Pipeline::memory) sets a budget.
    ///
    /// By default known for a type that needs no drop, and `None` for any other.
    fn prepared_bytes(&self) -> Option<usize> {
        plain_bytes::<Self::Prepared>()
    }

    /// Tells that the run is being stopped: a call that waits for something (another process, a server)
    /// should give up and return. Called from another thread while calls of the run have not returned, and again
    /// until they have, since one may fall between a stage's own look and its wait. The stage may be used again.
    /// Where several runs share the stage it does not say which of them: [`Context::is_stopped`] does.
    fn interrupt(&self) {}

    /// Begins with one document; what the engine calls.
    #[doc(hidden)]
    fn begin(&self, document: &mut D, context: &Context<'_>) -> Begun<Self::Prepared> {
        Begun::Done(self.prepare_in(document, context))
    }

    /// Whether what it begins may be done later: see [`async_stage`].
    #[doc(hidden)]
    fn waits(&self) -> bool {
        false
    }
}

/// The GPU half: runs a batch on a device.
///
/// All calls come from one thread at a time. The engine owns the batch and the ticket, and alone
/// decides what is submitted again.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a GPU stage for items of type `{P}`",
    note = "a closure must name its argument's type and return a `gapless::Output`, or a `Result` of one: `|batch: &[{P}]| …`"
)]
pub trait GpuStage<P>: Send {
    /// What a batch becomes.
    type Output: Output;
    /// A batch on its way through the device.
    type Ticket: Send;

    /// Plans and allocates for batches of up to `max_batch` items. Called once, before any thread starts.
    ///
    /// # Errors
    /// Anything that makes the stage unusable; the run then yields that error and starts nothing.
    fn open(&mut self, _max_batch: usize) -> Result<(), Cause> {
        Ok(())
    }

    /// Batches that may be in flight on the device at once, at least 1.
    ///
    /// With 1 a device idles between two batches; 2 or more keep it busy.
    fn depth(&self) -> usize {
        1
    }

    /// Most batches that the stage could be told to have in flight, for the report, which offers no depth beyond
    /// it. By default those that it has.
    fn most_depth(&self) -> usize {
        self.depth()
    }

    /// Another stage like this one, where the device is the CPU and more of them pay, one a core: a
    /// [`Pipeline::new`](crate::Pipeline::new) takes as many as the process has cores, each on a thread of its own.
    /// Asked for before `open`. By default there is none.
    fn split(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }

    /// The device behind this stage, for the report.
    fn device(&self) -> DeviceInfo {
        DeviceInfo::default()
    }

    /// What the stage measures by the clock of its device, for the report; nothing by default. Asked for
    /// once, after `open`.
    fn times(&self) -> DeviceTimes {
        DeviceTimes::default()
    }

    /// Whether the stage can take this item: asked for every item before `submit`. One that is refused is
    /// a failure of its document alone, and the others of its batch go on.
    ///
    /// # Errors
    /// Why not: its shape, and what would fit.
    fn accepts(&self, _item: &P) -> Result<(), Cause> {
        Ok(())
    }

    /// Hands one batch to the device. At least one item, at most `max_batch`.
    ///
    /// # Errors
    /// See [`StageError`].
    fn submit(&mut self, batch: &[P]) -> Result<Self::Ticket, StageError>;

    /// Asks for the result of the oldest ticket, for at most `wait`; `Ok(None)` means not yet.
    ///
    /// With a `wait` of zero this returns at once.
    ///
    /// # Errors
    /// See [`StageError`].
    fn try_collect(
        &mut self,
        ticket: &mut Self::Ticket,
        wait: Duration,
    ) -> Result<Option<Self::Output>, StageError>;

    /// Makes the device again after [`StageError::Lost`], for batches as large as `open` was told.
    ///
    /// When this is called every ticket of the lost device has been dropped. Afterwards the engine submits
    /// the batches that were in flight again, in their order, from the inputs that it kept. A batch that
    /// loses the device twice is halved, until an item that does it alone is left: that is a failure of its
    /// document. A device that is lost many times in a row without giving a result ends the run. The depth
    /// stays what it was.
    ///
    /// By default a stage cannot be rebuilt, and a lost device ends the run with
    /// [`Error::DeviceLost`](crate::Error::DeviceLost).
    ///
    /// ```
    /// use std::time::Duration;
    /// use gapless::{Cause, GpuStage, Pipeline, StageError};
    ///
    /// /// Adds one, and is unplugged once.
    /// struct Unplugged(bool);
    ///
    /// impl GpuStage<u32> for Unplugged {
    ///     type Output = Vec<u32>;
    ///     type Ticket = Vec<u32>;
    ///
    ///     fn submit(&mut self, batch: &[u32]) -> Result<Vec<u32>, StageError> {
    ///         Ok(batch.iter().map(|number| number + 1).collect())
    ///     }
    ///
    ///     fn try_collect(&mut self, sums: &mut Vec<u32>, _: Duration) -> Result<Option<Vec<u32>>, StageError> {
    ///         if self.0 { Err(StageError::Lost(Cause::msg("unplugged"))) } else { Ok(Some(sums.clone())) }
    ///     }
    ///
    ///     fn reopen(&mut self) -> Result<(), StageError> {
    ///         self.0 = false;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let same = |number: &mut u32| Ok::<_, Cause>(*number);
    /// let mut run = Pipeline::new(same, Unplugged(true)).run([1, 2, 3]);
    /// assert_eq!(run.next().unwrap()?.output(), Some(&vec![2, 3, 4]));
    /// assert_eq!(run.report().devices[0].losses, 1);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`StageError::Lost`] if the new device was lost too: it is made once more. Any other error means that
    /// there is no device any more, and ends the run.
    fn reopen(&mut self) -> Result<(), StageError> {
        Err(StageError::Batch(Cause::msg("this stage does not say how: see GpuStage::reopen")))
    }
}

/// How a GPU stage failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum StageError {
    /// This batch failed; the next one may work.
    Batch(Cause),
    /// The batch does not fit (memory, a limit). The engine halves it, down to one item.
    TooLarge(Cause),
    /// The device is gone. Nothing that it still owed is trusted; see [`GpuStage::reopen`].
    Lost(Cause),
}

impl StageError {
    /// What went wrong, whatever the kind.
    pub fn cause(&self) -> &Cause {
        match self {
            Self::Batch(cause) | Self::TooLarge(cause) | Self::Lost(cause) => cause,
        }
    }
}

impl<E: Into<Cause>> From<E> for StageError {
    fn from(error: E) -> Self {
        Self::Batch(error.into())
    }
}

/// The device behind a GPU stage.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The adapter's name, `cpu` for the twins, `closure` where the stage is the user's own.
    pub name: String,
    /// What kind of device it is.
    pub kind: DeviceKind,
}

impl DeviceInfo {
    /// A device with this name and kind.
    pub fn new(name: impl Into<String>, kind: DeviceKind) -> Self {
        Self { name: name.into(), kind }
    }
}

impl Default for DeviceInfo {
    fn default() -> Self {
        Self::new("closure", DeviceKind::Other)
    }
}

/// What kind of device runs the GPU half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum DeviceKind {
    /// A GPU with memory of its own.
    Discrete,
    /// A GPU that shares the memory of the CPU.
    Integrated,
    /// A Vulkan device that runs on the CPU, such as lavapipe.
    Software,
    /// The twins: no device, every kernel on the CPU.
    Twin,
    /// A stage of the user's own, or a device that does not say.
    Other,
}

impl std::fmt::Display for DeviceKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Discrete => "discrete",
            Self::Integrated => "integrated",
            Self::Software => "software",
            Self::Twin => "twin",
            Self::Other => "other",
        })
    }
}

impl DeviceKind {
    /// Whether the GPU half uses the processor that the workers use, so that overlap cannot gain much.
    pub fn shares_cpu(self) -> bool {
        matches!(self, Self::Software | Self::Twin)
    }
}
