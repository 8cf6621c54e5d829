//! Several halves in a row: what comes out of one run is the source of the next.
//!
//! Each half has its own tokens, line and devices, and nothing of the engine knows of more than one. What is
//! theirs together stands here: one order, one set of places, accounts that balance over all of them, one end. A
//! document that failed before keeps its place: it goes through the later halves as a failure.
//!
//! Uses: `run`, `handle`. Used by: `pipeline`.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
#[cfg(feature = "stream")]
use std::task::{Poll, Waker};
use std::time::Duration;

use super::run::{Drive, Told};
use super::{Batch, OnProgress, Pipeline, Run, drop_each, drop_user};
use crate::engine::guard::Held;
use crate::engine::outlet::remote::Remote;
use crate::engine::road::job::After;
use crate::engine::road::source::{AnySource, EndSource, Source};
use crate::error::{Cause, Error, Failure, Stage};
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;
use crate::pipeline::mode::Mode;
use crate::place::Position;
use crate::stage::{CpuStage, GpuStage, Rows};

/// One half after another: a [`Pipeline`], or a [`Chain`] of them.
pub trait Halves: sealed::Sealed {
    /// What the source gives.
    type Document: Send + 'static;
    /// What a batch of the last of them carries.
    type Output: Send + Sync + 'static;

    #[doc(hidden)]
    fn start(
        self,
        documents: Box<dyn Iterator<Item = Self::Document> + Send>,
    ) -> Run<Self::Document, Self::Output>;

    /// How long its end may take.
    #[doc(hidden)]
    fn patience(&self) -> Duration;
}

mod sealed {
    pub trait Sealed {}
    impl<D, C, G, A, M> Sealed for super::Pipeline<D, C, G, A, M>
    where
        M: super::Mode<D>,
        C: super::CpuStage<M::Item>,
    {
    }
    impl<H: super::Halves, F, G> Sealed for super::Chain<H, F, G> where
        super::OfRow<F>: super::CpuStage<super::Handed<H>>
    {
    }
}

impl<D, C, G, A, M> Halves for Pipeline<D, C, G, A, M>
where
    D: Send + 'static,
    M: Mode<D>,
    C: CpuStage<M::Item> + 'static,
    G: GpuStage<C::Prepared> + 'static,
    A: After<M::Item, G::Output> + 'static,
    A::Delivered: Sync + 'static,
{
    type Document = D;
    type Output = A::Delivered;

    fn start(self, documents: Box<dyn Iterator<Item = D> + Send>) -> Run<D, A::Delivered> {
        self.run(documents)
    }

    fn patience(&self) -> Duration {
        self.how.settings.common.grace
    }
}

/// A document on its way from one half to the next.
#[doc(hidden)]
pub struct Handed<H: Halves> {
    /// `None` once it was taken from here.
    document: Option<H::Document>,
    position: Position,
    came: Came<H::Output>,
}

impl<H: Halves> Handed<H> {
    fn document(&mut self) -> Result<&mut H::Document, Cause> {
        self.document.as_mut().ok_or_else(|| Cause::msg("the document was taken"))
    }

    fn into_left(mut self) -> Option<(Position, H::Document)> {
        Some((self.position, self.document.take()?))
    }
}

impl<H: Halves> Drop for Handed<H> {
    fn drop(&mut self) {
        // What it came with has guards of its own.
        drop_user(self.document.take());
    }
}

/// How a document came out of a half.
enum Came<O> {
    WithRow(Arc<Held<O>>, usize),
    Failed(Stage, Cause),
}

/// A CPU stage on each document and its row of the half before.
#[doc(hidden)]
pub struct OfRow<F>(F);

impl<H, P, F> CpuStage<Handed<H>> for OfRow<F>
where
    H: Halves,
    H::Output: Rows,
    F: Fn(&mut H::Document, <H::Output as Rows>::Row<'_>) -> Result<P, Cause> + Send + Sync,
    P: Send,
{
    type Prepared = P;

    fn prepare(&self, handed: &mut Handed<H>) -> Result<P, Cause> {
        let (output, row) = match &handed.came {
            Came::WithRow(output, row) => (output.clone(), *row),
            Came::Failed(_, cause) => return Err(cause.clone()),
        };
        (self.0)(handed.document()?, output.row(row))
    }
}

/// Halves in a row: see [`Pipeline::then_gpu`].
#[must_use = "a chain does nothing until it is run"]
pub struct Chain<H: Halves, F, G>
where
    OfRow<F>: CpuStage<Handed<H>>,
{
    before: H,
    last: Pipeline<Handed<H>, OfRow<F>, G>,
}

impl<H, F, G> Chain<H, F, G>
where
    H: Halves + 'static,
    H::Output: Rows,
    OfRow<F>: CpuStage<Handed<H>>,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H>>>::Prepared>,
{
    pub(super) fn new(before: H, prepare: F, gpu: G) -> Self {
        Self { before, last: Pipeline::new(OfRow(prepare), gpu) }
    }

    /// Sets how the last of the halves is to run, by the methods of a [`Pipeline`].
    pub fn last_half(
        mut self,
        set: impl FnOnce(Pipeline<Handed<H>, OfRow<F>, G>) -> Pipeline<Handed<H>, OfRow<F>, G>,
    ) -> Self {
        self.last = set(self.last);
        self
    }
}

impl<H, F, G> Chain<H, F, G>
where
    H: Halves + 'static,
    H::Output: Rows,
    F: 'static,
    OfRow<F>: CpuStage<Handed<H>> + 'static,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H>>>::Prepared> + 'static,
    G::Output: 'static,
{
    /// Another half behind these: see [`Pipeline::then_gpu`].
    pub fn then_gpu<F2, G2, P2>(self, prepare: F2, gpu: G2) -> Chain<Self, F2, G2>
    where
        G::Output: Rows,
        F2: Fn(&mut H::Document, <G::Output as Rows>::Row<'_>) -> Result<P2, Cause> + Send + Sync,
        P2: Send,
        G2: GpuStage<P2>,
    {
        Chain::<Self, F2, G2>::new(self, prepare, gpu)
    }

    /// Starts the run: all halves overlap. It is one run: results in the order of the source, documents that failed
    /// in any half in their places, accounts over all of them. Its report is that of the last half, with those of
    /// the others in [`Report::before`].
    pub fn run<I>(self, documents: I) -> Run<H::Document, G::Output>
    where
        I: IntoIterator<Item = H::Document>,
        I::IntoIter: Send + 'static,
    {
        let Self { before, mut last } = self;
        let patience = before.patience();
        let first = before.start(Box::new(documents.into_iter()));
        let total = first.progress().total;
        let shared = Arc::new(Before { remote: first.remote(), ended: Mutex::new(None) });
        // It is a source of ours: it is told to end, and not left behind.
        last.how.settings.common.own_source = true;
        last.how.settings.common.grace = last.how.settings.common.grace.saturating_add(patience);
        last.how.settings.common.total = last.how.settings.common.total.or(total);
        let on_progress = last.how.hooks.on_progress.take().map(super::Hook::boxed);
        let source = FromRun { run: Some(first), waiting: VecDeque::new(), shared: shared.clone() };
        let source = |_| (Box::new(source) as AnySource<'static, Handed<H>>, None);
        let last = last.start_over((0, None), source, false);
        told(InARow { before: shared, last, failed: Vec::new() }, on_progress)
    }
}

fn told<H: Halves + 'static, O: Send + 'static>(
    run: InARow<H, O>,
    on_progress: Option<OnProgress>,
) -> Run<H::Document, O> {
    Run::new(Told::new(Box::new(run), on_progress))
}

impl<H, F, G> Halves for Chain<H, F, G>
where
    H: Halves + 'static,
    H::Output: Rows,
    F: 'static,
    OfRow<F>: CpuStage<Handed<H>> + 'static,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H>>>::Prepared> + 'static,
    G::Output: 'static,
{
    type Document = H::Document;
    type Output = G::Output;

    fn start(self, documents: Box<dyn Iterator<Item = H::Document> + Send>) -> Run<H::Document, G::Output> {
        self.run(documents)
    }

    fn patience(&self) -> Duration {
        self.before.patience().saturating_add(self.last.how.settings.common.grace)
    }
}

impl<H: Halves, F, G> fmt::Debug for Chain<H, F, G>
where
    OfRow<F>: CpuStage<Handed<H>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}

/// What is known of the halves before the last.
struct Before<D> {
    remote: Option<Arc<dyn Remote>>,
    /// Once they have ended.
    ended: Mutex<Option<Ended<D>>>,
}

struct Ended<D> {
    accounts: Accounts,
    report: Report,
    /// Documents that did not come into the last half.
    left: Vec<(Position, D)>,
}

impl<D> Drop for Ended<D> {
    fn drop(&mut self) {
        drop_each(self.left.drain(..).map(|(_, document)| document));
    }
}

impl<D> Before<D> {
    fn with<R>(&self, ask: impl FnOnce(&mut Option<Ended<D>>) -> R) -> R {
        ask(&mut self.ended.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn accounts(&self) -> Accounts {
        let known = self.with(|ended| ended.as_ref().map(|ended| ended.accounts));
        known.unwrap_or_else(|| self.remote.as_ref().map(|run| run.accounts()).unwrap_or_default())
    }

    fn report(&self) -> Report {
        let known = self.with(|ended| ended.as_ref().map(|ended| ended.report.clone()));
        known.unwrap_or_else(|| self.remote.as_ref().map_or_else(Report::not_started, |run| run.report()))
    }
}

/// Accounts over all halves: a document is in flight until it came out of the last, or is known not to.
fn over_all(before: Accounts, last: Accounts, over: bool) -> Accounts {
    let mut all = Accounts { pulled: before.pulled, stuck: before.stuck + last.stuck, cancelled: 0, ..last };
    if over {
        all.cancelled = all.in_flight();
    }
    all
}

/// A run of the halves before, as the source of the last.
struct FromRun<H: Halves> {
    run: Option<Run<H::Document, H::Output>>,
    /// Documents of a batch that have not been pulled.
    waiting: VecDeque<Handed<H>>,
    shared: Arc<Before<H::Document>>,
}

impl<H: Halves> Source<Handed<H>> for FromRun<H> {
    fn next(&mut self, _: Position) -> Result<Option<Handed<H>>, Error> {
        loop {
            if let Some(handed) = self.waiting.pop_front() {
                return Ok(Some(handed));
            }
            match self.run.as_mut().and_then(Iterator::next) {
                Some(Ok(batch)) => self.waiting = hand_on(batch),
                Some(Err(error)) => return Err(error),
                None => return Ok(None),
            }
        }
    }

    fn length(&self) -> Option<u64> {
        self.run.as_ref().and_then(|run| run.progress().total)
    }

    fn end(&self) -> Option<EndSource> {
        let remote = self.shared.remote.clone()?;
        Some(Box::new(move || remote.stop()))
    }
}

/// The documents of a batch with their rows, and those that failed, in the order of the source.
fn hand_on<H: Halves>(batch: Batch<H::Document, H::Output>) -> VecDeque<Handed<H>> {
    let Batch { documents, positions, output, failures, .. } = batch;
    let output = output.map(|output| Arc::new(Held::new(output)));
    let good = documents.into_iter().zip(positions).enumerate().filter_map(|(row, (document, position))| {
        let output = output.clone()?;
        Some(Handed { document: Some(document), position, came: Came::WithRow(output, row) })
    });
    let failed = failures.into_iter().map(|Failure { document, position, stage, cause }| Handed {
        document: Some(document),
        position,
        came: Came::Failed(stage, cause),
    });
    let mut handed: VecDeque<_> = good.chain(failed).collect();
    handed.make_contiguous().sort_by_key(|handed| handed.position);
    handed
}

impl<H: Halves> Drop for FromRun<H> {
    fn drop(&mut self) {
        let Some(mut run) = self.run.take() else { return };
        run.stop();
        let mut left = run.take_back();
        left.extend(self.waiting.drain(..).filter_map(Handed::into_left));
        let ended = Ended { accounts: run.accounts(), report: run.report(), left };
        self.shared.with(|known| *known = Some(ended));
    }
}

/// A run of several halves.
struct InARow<H: Halves, O> {
    before: Arc<Before<H::Document>>,
    last: Told<'static, Handed<H>, O>,
    /// Failures that came out last: their places in the last half, and in the source.
    failed: Vec<(Position, Position)>,
}

impl<H: Halves, O> InARow<H, O> {
    fn unpacked(&mut self, next: Result<Batch<Handed<H>, O>, Error>) -> Result<Batch<H::Document, O>, Error> {
        let batch = next.map_err(|error| self.in_source(error))?;
        let Batch { index, documents, output, failures, .. } = batch;
        self.failed.clear();
        let positions = documents.iter().map(|handed| handed.position).collect();
        let documents =
            documents.into_iter().filter_map(Handed::into_left).map(|(_, document)| document).collect();
        let failures = failures.into_iter().filter_map(|failure| self.failure(failure)).collect();
        Ok(Batch { index, documents, positions, output, failures, taken: Vec::new() })
    }

    /// The failure of a document, in the half in which it failed.
    fn failure(&mut self, failure: Failure<Handed<H>>) -> Option<Failure<H::Document>> {
        let Failure { document: handed, position: place, stage, cause } = failure;
        let stage = if let Came::Failed(before, _) = handed.came { before } else { stage };
        let (position, document) = handed.into_left()?;
        self.failed.push((place, position));
        Some(Failure { document, position, stage, cause })
    }

    /// The same error with a place in the source. One of the halves before speaks of that already, and of no
    /// failure that came out here.
    fn in_source(&self, error: Error) -> Error {
        let place = |place: Position| {
            self.failed.iter().find(|(last, _)| *last == place).map_or(place, |(_, position)| *position)
        };
        match error {
            Error::Stopped { position } => Error::Stopped { position: place(position) },
            other => other,
        }
    }
}

impl<H: Halves, O: Send> Drive<H::Document, O> for InARow<H, O> {
    fn next(&mut self) -> Option<Result<Batch<H::Document, O>, Error>> {
        let next = self.last.next()?;
        Some(self.unpacked(next))
    }

    fn stop(&mut self) {
        self.last.stop();
    }

    fn accounts(&self) -> Accounts {
        let over = self.before.with(|ended| ended.is_some());
        over_all(self.before.accounts(), self.last.accounts(), over && self.last.accounts().balance())
    }

    fn tokens(&self) -> usize {
        self.last.tokens()
    }

    fn take_back(&mut self) -> Vec<(Position, H::Document)> {
        let left = self.last.take_back().into_iter();
        let mut left: Vec<_> = left.filter_map(|(_, handed)| handed.into_left()).collect();
        let before = self.before.with(|ended| ended.as_mut().map(|ended| std::mem::take(&mut ended.left)));
        left.extend(before.into_iter().flatten());
        left.sort_by_key(|(position, _)| *position);
        left
    }

    fn report(&self) -> Report {
        let mut report = self.last.report();
        report.accounts = self.accounts();
        let mut before = self.before.report();
        report.before = std::mem::take(&mut before.before);
        report.before.push(before);
        report
    }

    fn timeline(&self) -> Option<Timeline> {
        self.last.timeline().ok()
    }

    fn progress(&self) -> Progress {
        let accounts = self.accounts();
        Progress { in_flight: accounts.in_flight(), ..self.last.progress() }
    }

    fn watched(&self) -> bool {
        self.last.watched()
    }

    fn alive(&self) {
        self.last.alive();
    }

    fn remote(&self) -> Option<Arc<dyn Remote>> {
        let last = self.last.remote()?;
        Some(Arc::new(Both { before: self.before.clone(), last }))
    }

    #[cfg(feature = "stream")]
    fn never_wait(&mut self) {
        self.last.never_wait();
    }

    #[cfg(feature = "stream")]
    fn poll_next(&mut self, waker: &Waker) -> Poll<Option<Result<Batch<H::Document, O>, Error>>> {
        let next = std::task::ready!(self.last.poll_next(waker));
        Poll::Ready(next.map(|next| self.unpacked(next)))
    }
}

/// All halves, as they are seen from other threads.
struct Both<D> {
    before: Arc<Before<D>>,
    last: Arc<dyn Remote>,
}

impl<D: Send> Remote for Both<D> {
    fn stop(&self) {
        self.last.stop();
    }

    fn accounts(&self) -> Accounts {
        let over = self.before.with(|ended| ended.is_some());
        over_all(self.before.accounts(), self.last.accounts(), over && self.last.accounts().balance())
    }

    fn progress(&self) -> Progress {
        Progress { in_flight: self.accounts().in_flight(), ..self.last.progress() }
    }

    fn report(&self) -> Report {
        let mut report = self.last.report();
        report.accounts = self.accounts();
        report.before.push(self.before.report());
        report
    }
}
