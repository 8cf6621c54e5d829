//! A run: an iterator over batches of results, and how it ends.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::engine::outlet::remote::Remote;
use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::Batch;
use crate::pipeline::drive::Driven;
use crate::pipeline::handle::Handle;
use crate::place::Position;

/// A run: an iterator over batches of results, in order, while the rest still runs.
///
/// # How a run ends
/// 1. *Finished*: the source ends; every batch comes out, then `None`.
/// 2. *Stopped by a failure* (a document, a batch, a panic of the source, a lost device that cannot be made
///    again): what stands before it comes out, then one `Err`, then `None`.
/// 3. *Stopped by the caller* ([`stop`](Self::stop)) or *dropped*, at any time: nothing new starts, and
///    what is in flight is cancelled.
/// 4. *Ended by its watchdog* ([`Pipeline::watchdog`](crate::Pipeline::watchdog)), since nothing moved: an `Err`
///    that says who waits for whom, then `None`.
/// 5. *Not started*: a setting cannot work or a stage cannot be opened; that is the first item, `Err`.
///
/// On every ending the threads of the run are joined, and
/// `pulled = delivered + failed + cancelled + stuck` ([`accounts`](Self::accounts)). A user function
/// that does not return cannot be joined: after the grace period its thread is left behind, and the
/// report names it. A feeder inside a source that waits for its next document is left at once.
///
/// It owns all that it works with; one of a [`scope`](crate::scope()) may borrow, and is a [`ScopedRun`].
pub type Run<D, O> = ScopedRun<'static, D, O>;

/// A run whose stages and documents live for `'a`: a [`Run`], or one of a [`scope`](crate::scope()), of which all is
/// true that is said of a [`Run`].
#[must_use = "a run does nothing more once it is dropped; iterate over it"]
pub struct ScopedRun<'a, D, O>(Driven<'a, D, O>);

impl<'a, D, O> ScopedRun<'a, D, O> {
    pub(crate) fn new(driven: Driven<'a, D, O>) -> Self {
        Self(driven)
    }

    /// Ends the run: nothing new starts, and what is in flight is cancelled. Returns when the threads
    /// have ended, or when the grace period is over. Nothing comes out afterwards.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let mut run = Pipeline::new(cpu, gpu).run(0..);
    /// let first = run.next().unwrap().unwrap();
    /// run.stop();
    /// assert!(run.next().is_none());
    /// let accounts = run.accounts();
    /// assert!(accounts.balance());
    /// assert_eq!(run.take_back().len() as u64, accounts.cancelled);
    /// ```
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Where the documents pulled so far went.
    pub fn accounts(&self) -> Accounts {
        self.0.accounts()
    }

    /// Most documents (batches, with `per_batch`) that may be in flight at once: see
    /// [`Pipeline::ahead`](crate::Pipeline::ahead). Without meaning in a sequential run, which holds
    /// everything.
    pub fn tokens(&self) -> usize {
        self.0.tokens()
    }

    /// Takes back the documents that were pulled and did not come out, by their place in the source.
    ///
    /// Empty while the run goes on. A second call gives nothing.
    pub fn take_back(&mut self) -> Vec<(Position, D)> {
        self.0.take_back()
    }

    /// Where the time went so far, and what to change.
    pub fn report(&self) -> Report {
        self.0.report().over_halves()
    }

    /// The same of the last half alone, where there are several.
    pub(crate) fn report_of_last(&self) -> Report {
        self.0.report()
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }
}

/// What is known of it while it goes on, from other threads too.
impl<D, O> Run<D, O> {
    /// What can be asked of the run from any thread, also while this one waits in `next`: to stop it, and how far
    /// it has come.
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let mut run = Pipeline::new(cpu, gpu).run(0..);
    /// let handle = run.handle();
    /// let other = std::thread::spawn(move || {
    ///     while handle.progress().delivered < 100 {
    ///         std::thread::yield_now();
    ///     }
    ///     handle.stop(); // as on Ctrl-C
    /// });
    /// run.by_ref().for_each(|batch| drop(batch.unwrap()));
    /// other.join().unwrap();
    /// let accounts = run.accounts(); // in the order of the source: what was delivered is its beginning
    /// let left = run.take_back().into_iter().map(|(_, document)| document);
    /// assert!(left.eq(accounts.delivered..accounts.pulled));
    /// ```
    pub fn handle(&self) -> Handle {
        Handle(self.remote())
    }

    pub(crate) fn remote(&self) -> Option<Arc<dyn Remote>> {
        self.0.remote()
    }
}

/// What is shown of a run that was recorded.
impl<D, O> ScopedRun<'_, D, O> {
    /// Who did what when, so far.
    ///
    /// # Errors
    /// [`Error::Setting`] where the run is not recorded: see [`Pipeline::trace`](crate::Pipeline::trace).
    pub fn timeline(&self) -> Result<Timeline, Error> {
        self.0.timeline()
    }

    /// Writes who did what when, so far, into a file that Perfetto and `chrome://tracing` show: see
    /// [`Timeline::write_trace`].
    ///
    /// ```
    /// use gapless::{Cause, Pipeline};
    /// let cpu = |n: &mut u64| Ok::<_, Cause>(*n);
    /// let gpu = |batch: &[u64]| Ok::<_, Cause>(batch.to_vec());
    /// let mut run = Pipeline::new(cpu, gpu).workers(2).trace(true).run(0..100);
    /// run.by_ref().try_for_each(|batch| batch.map(drop))?;
    /// # let folder = std::env::temp_dir().join(format!("gapless-trace-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// run.trace(folder.join("overlap.json"))?;
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`timeline`](Self::timeline), and [`Error::Output`] where the file cannot be written.
    pub fn trace(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.timeline()?.save(path.as_ref())
    }

    /// Draws the run so far, below the same work one half after the other, as SVG: see [`Timeline::svg`].
    ///
    /// # Errors
    /// As [`timeline`](Self::timeline).
    pub fn timeline_svg(&self) -> Result<String, Error> {
        Ok(self.timeline()?.svg())
    }
}

impl<D, O> Iterator for ScopedRun<'_, D, O> {
    type Item = Result<Batch<D, O>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<D, O> Run<D, O> {
    pub(crate) fn into_driven(self) -> Driven<'static, D, O> {
        self.0
    }

    #[cfg(feature = "stream")]
    pub(crate) fn driven(&mut self) -> &mut Driven<'static, D, O> {
        &mut self.0
    }
}

impl<D, O> std::iter::FusedIterator for ScopedRun<'_, D, O> {}

impl<D, O> fmt::Debug for ScopedRun<'_, D, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("accounts", &self.accounts()).finish_non_exhaustive()
    }
}
