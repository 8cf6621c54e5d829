//! A run: an iterator over batches of results, and how it ends.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
#[cfg(feature = "stream")]
use std::task::{Poll, Waker};

use crate::engine::outlet::caller::Caller;
use crate::engine::outlet::remote::Remote;
use crate::engine::road::batch::Delivery;
use crate::engine::road::job::Job;

use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::gather::Rest;
use crate::pipeline::handle::Handle;
use crate::pipeline::mode::{self, Mode};
use crate::pipeline::{Batch, OnProgress};
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
#[must_use = "a run does nothing more once it is dropped; iterate over it"]
pub struct Run<D, O>(Told<'static, D, O>);

/// A run, and who is told of what comes out of it. Its stages and documents live for `'a`.
pub(crate) struct Told<'a, D, O> {
    drive: Box<dyn Drive<D, O> + 'a>,
    on_progress: Option<OnProgress>,
    /// The item that is told of and not handed out yet.
    untold: Option<Result<Batch<D, O>, Error>>,
    /// Whether there is a watchdog.
    watched: bool,
}

pub(crate) trait Drive<D, O>: Send {
    fn next(&mut self) -> Option<Result<Batch<D, O>, Error>>;
    fn stop(&mut self);
    fn accounts(&self) -> Accounts;
    fn tokens(&self) -> usize;
    fn take_back(&mut self) -> Vec<(Position, D)>;
    fn report(&self) -> Report;
    fn timeline(&self) -> Option<Timeline>;
    fn progress(&self) -> Progress;
    fn watched(&self) -> bool;
    fn alive(&self);
    fn remote(&self) -> Option<Arc<dyn Remote>>;
    #[cfg(feature = "stream")]
    fn never_wait(&mut self);
    #[cfg(feature = "stream")]
    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>>;
}

impl<D, O> Run<D, O> {
    pub(crate) fn new(told: Told<'static, D, O>) -> Self {
        Self(told)
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
    /// let goes_on_at = run.accounts().delivered; // in the order of the source
    /// assert_eq!(run.take_back()[0].1, goes_on_at);
    /// ```
    pub fn handle(&self) -> Handle {
        Handle(self.remote())
    }

    pub(crate) fn remote(&self) -> Option<Arc<dyn Remote>> {
        self.0.remote()
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
        self.0.report()
    }

    /// How far the run has come.
    pub fn progress(&self) -> Progress {
        self.0.progress()
    }
}

/// What is shown of a run that was recorded.
impl<D, O> Run<D, O> {
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

impl<D, O> Iterator for Run<D, O> {
    type Item = Result<Batch<D, O>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<D, O> Run<D, O> {
    #[cfg(feature = "doc")]
    pub(crate) fn into_told(self) -> Told<'static, D, O> {
        self.0
    }

    #[cfg(feature = "stream")]
    pub(crate) fn told(&mut self) -> &mut Told<'static, D, O> {
        &mut self.0
    }
}

impl<'a, D, O> Told<'a, D, O> {
    pub(crate) fn new(drive: Box<dyn Drive<D, O> + 'a>, on_progress: Option<OnProgress>) -> Self {
        Self { watched: drive.watched(), drive, on_progress, untold: None }
    }

    pub(crate) fn next(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        if self.untold.is_none() {
            self.untold = self.drive.next();
        }
        self.tell()
    }

    /// Tells of the item before it is handed out: should that panic, it is the next.
    fn tell(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        if let (Some(on_progress), Some(Ok(_))) = (&mut self.on_progress, &self.untold) {
            on_progress(&self.drive.progress());
        }
        self.untold.take()
    }

    #[cfg(feature = "stream")]
    pub(crate) fn never_wait(&mut self) {
        self.drive.never_wait();
    }

    /// As `next`, without waiting.
    #[cfg(feature = "stream")]
    pub(crate) fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>> {
        if self.untold.is_none() {
            self.untold = std::task::ready!(self.drive.poll_next(waker));
        }
        Poll::Ready(self.tell())
    }

    /// The caller is at work with results that came out before.
    pub(crate) fn alive(&self) {
        if self.watched {
            self.drive.alive();
        }
    }

    pub(crate) fn timeline(&self) -> Result<Timeline, Error> {
        self.drive.timeline().ok_or_else(|| Error::Setting {
            name: "trace",
            reason: "this run is not recorded; Pipeline::trace(true) records it".into(),
        })
    }
}

/// What else is asked of a run.
impl<'a, D, O> std::ops::Deref for Told<'a, D, O> {
    type Target = dyn Drive<D, O> + 'a;

    fn deref(&self) -> &Self::Target {
        &*self.drive
    }
}

impl<D, O> std::ops::DerefMut for Told<'_, D, O> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut *self.drive
    }
}

impl<D, O> std::iter::FusedIterator for Run<D, O> {}

impl<D, O> fmt::Debug for Run<D, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("accounts", &self.accounts()).finish_non_exhaustive()
    }
}

/// A run of the engine.
pub(crate) struct Engine<D, M, J: Job> {
    caller: Caller<J>,
    batch_size: usize,
    /// Who has the documents that the source gave and that stand in no item yet, where an item holds several.
    rest: Option<Rest<D>>,
    mode: std::marker::PhantomData<fn() -> M>,
}

impl<D, M, J: Job> Engine<D, M, J> {
    pub(crate) fn new(caller: Caller<J>, batch_size: usize, rest: Option<Rest<D>>) -> Self {
        Self { caller, batch_size, rest, mode: std::marker::PhantomData }
    }

    fn unpacked(
        &self,
        delivery: Result<Delivery<J::Document, J::Delivered>, Error>,
    ) -> Result<Batch<D, J::Delivered>, Error>
    where
        M: Mode<D, Item = J::Document>,
    {
        match delivery {
            Ok(delivery) => {
                let weights = &self.caller.ledger().books.weights;
                Ok(mode::unpack::<D, M, _>(delivery, self.batch_size, weights))
            }
            Err(error) => Err(mode::unpack_error::<D, M>(error, self.batch_size)),
        }
    }

    /// Counts the documents that stood in no item when the run ended: they are given back as the others.
    fn count_rest(&self) {
        let books = &self.caller.ledger().books;
        if let Some(rest) = self.rest.as_ref().filter(|_| books.closed()) {
            rest.close();
            books.gathered(rest.left_over());
        }
    }
}

impl<D, M, J> Drive<D, J::Delivered> for Engine<D, M, J>
where
    D: Send,
    M: Mode<D>,
    J: Job<Document = M::Item>,
{
    fn next(&mut self) -> Option<Result<Batch<D, J::Delivered>, Error>> {
        let delivery = self.caller.next()?;
        Some(self.unpacked(delivery))
    }

    fn stop(&mut self) {
        self.caller.stop();
    }

    fn accounts(&self) -> Accounts {
        self.count_rest();
        self.caller.ledger().books.accounts()
    }

    fn tokens(&self) -> usize {
        self.caller.ledger().tokens.total()
    }

    fn take_back(&mut self) -> Vec<(Position, D)> {
        self.count_rest();
        let mut left: Vec<_> = mode::unpack_left::<D, M>(self.caller.take_left(), self.batch_size).collect();
        if let Some(rest) = self.rest.as_ref().filter(|_| self.caller.ledger().books.closed()) {
            let first = self.caller.ledger().books.accounts().pulled - rest.left_over();
            left.extend((first..).map(Position).zip(rest.give_back()));
        }
        left
    }

    fn report(&self) -> Report {
        self.count_rest();
        self.caller.report()
    }

    fn timeline(&self) -> Option<Timeline> {
        self.caller.timeline()
    }

    fn progress(&self) -> Progress {
        self.caller.ledger().progress()
    }

    fn watched(&self) -> bool {
        self.caller.road.lookout.is_some()
    }

    fn alive(&self) {
        if let Some(lookout) = &self.caller.road.lookout {
            lookout.stations.caller_works();
        }
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        self.caller.remote()
    }

    #[cfg(feature = "stream")]
    fn never_wait(&mut self) {
        self.caller.never_wait();
    }

    #[cfg(feature = "stream")]
    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<D, J::Delivered>, Error>>> {
        let next = std::task::ready!(self.caller.poll_next(waker));
        Poll::Ready(next.map(|delivery| self.unpacked(delivery)))
    }
}

impl<D, M, J: Job> Drop for Engine<D, M, J> {
    fn drop(&mut self) {
        self.caller.stop();
    }
}

/// A run that could not start.
pub(crate) struct NotStarted(pub(crate) Option<Error>);

impl<D, O> Drive<D, O> for NotStarted {
    fn next(&mut self) -> Option<Result<Batch<D, O>, Error>> {
        self.0.take().map(Err)
    }

    fn stop(&mut self) {
        self.0 = None;
    }

    fn accounts(&self) -> Accounts {
        Accounts::default()
    }

    fn tokens(&self) -> usize {
        0
    }

    fn take_back(&mut self) -> Vec<(Position, D)> {
        Vec::new()
    }

    fn report(&self) -> Report {
        Report::not_started()
    }

    fn timeline(&self) -> Option<Timeline> {
        None
    }

    fn progress(&self) -> Progress {
        Progress::default()
    }

    fn watched(&self) -> bool {
        false
    }

    fn alive(&self) {}

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        None
    }

    #[cfg(feature = "stream")]
    fn never_wait(&mut self) {}

    #[cfg(feature = "stream")]
    fn poll_next(&mut self, _: &Waker) -> Poll<Option<Result<Batch<D, O>, Error>>> {
        Poll::Ready(self.next())
    }
}
