//! Several halves in a row: what comes out of one run is the source of the next.
//!
//! Each half has its own tokens, line and devices, and nothing of the engine knows of more than one. What is
//! theirs together stands here: one order, one set of places, accounts that balance over all of them, one end. A
//! document that failed before keeps its place: it goes through the later halves as a failure.
//!
//! Uses: `run`, `handle`. Used by: `pipeline`.

mod before;
mod handed;
mod in_a_row;

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use self::before::{Before, FromRun};
pub(super) use self::handed::{Handed, OfRow};
use self::in_a_row::InARow;
use super::drive::Driven;
use super::how::Hook;
use super::{Pipeline, Run};
use crate::engine::road::job::After;
use crate::engine::road::source::AnySource;
use crate::engine::settings::Common;
use crate::engine::start::Free;
use crate::stage::{CpuStage, GpuStage, IntoResult, Rows};

/// One half after another: a [`Pipeline`] that works document by document, or a [`Chain`] of them.
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

    /// What its last half was told.
    #[doc(hidden)]
    fn common(&mut self) -> &mut Common;

    /// How long its end may take.
    #[doc(hidden)]
    fn patience(&self) -> Duration;
}

mod sealed {
    pub trait Sealed {}
    impl<D, C, G, A> Sealed for super::Pipeline<D, C, G, A> {}
    impl<H: super::Halves, F, G> Sealed for super::Chain<H, F, G> {}
}

impl<D, C, G, A> Halves for Pipeline<D, C, G, A>
where
    D: Send + 'static,
    C: CpuStage<D> + 'static,
    G: GpuStage<C::Prepared> + 'static,
    A: After<D, G::Output> + 'static,
    A::Delivered: Sync + 'static,
{
    type Document = D;
    type Output = A::Delivered;

    fn start(self, documents: Box<dyn Iterator<Item = D> + Send>) -> Run<D, A::Delivered> {
        self.run(documents)
    }

    fn common(&mut self) -> &mut Common {
        self.how.common()
    }

    fn patience(&self) -> Duration {
        self.how.settings.common.grace
    }
}

/// Halves in a row: see [`Pipeline::then_gpu`].
#[must_use = "a chain does nothing until it is run"]
pub struct Chain<H: Halves, F, G> {
    before: H,
    last: Pipeline<Handed<H::Document, H::Output>, OfRow<F>, G>,
}

impl<H, F, G> Chain<H, F, G>
where
    H: Halves + 'static,
    H::Output: Rows,
    OfRow<F>: CpuStage<Handed<H::Document, H::Output>>,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H::Document, H::Output>>>::Prepared>,
{
    pub(super) fn new(mut before: H, prepare: F, gpu: G) -> Self {
        let mut last = Pipeline::new(OfRow(prepare), gpu);
        *last.how.common() = before.common().for_next_half();
        Self { before, last }
    }

    /// Sets how the last of the halves is to run, by the methods of a [`Pipeline`]. What was set of the half before,
    /// when this one came behind it, holds here too: workers or pool, order, failures, grace, the time of an item,
    /// recording. Each half has its own batch size, `ahead`, watchdog and the like.
    pub fn last_half(
        mut self,
        set: impl FnOnce(
            Pipeline<Handed<H::Document, H::Output>, OfRow<F>, G>,
        ) -> Pipeline<Handed<H::Document, H::Output>, OfRow<F>, G>,
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
    OfRow<F>: CpuStage<Handed<H::Document, H::Output>> + 'static,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H::Document, H::Output>>>::Prepared> + 'static,
    G::Output: 'static,
{
    /// Another half behind these: see [`Pipeline::then_gpu`].
    pub fn then_gpu<F2, G2, R>(self, prepare: F2, gpu: G2) -> Chain<Self, F2, G2>
    where
        G::Output: Rows,
        F2: Fn(&mut H::Document, <G::Output as Rows>::Row<'_>) -> R + Send + Sync,
        R: IntoResult<Value: Send>,
        G2: GpuStage<R::Value>,
    {
        Chain::<Self, F2, G2>::new(self, prepare, gpu)
    }

    /// Starts the run: all halves overlap. It is one run: results in the order of the source, documents that failed
    /// in any half in their places, accounts over all of them. Its report speaks of the slowest half, and has those of
    /// the halves before the last in [`Report::before`](crate::Report::before).
    pub fn run<I>(self, documents: I) -> Run<H::Document, G::Output>
    where
        I: IntoIterator<Item = H::Document>,
        I::IntoIter: Send + 'static,
    {
        let Self { mut before, mut last } = self;
        let patience = before.patience();
        before.common().to_run = true;
        last.how.settings.common.from_run = true;
        let first = before.start(Box::new(documents.into_iter()));
        let total = first.progress().total;
        let shared = Arc::new(Before::new(first.remote()));
        last.how.settings.common.grace = last.how.settings.common.grace.saturating_add(patience);
        let on_progress = last.how.hooks.on_progress.take().map(Hook::boxed);
        let source = FromRun { run: Some(first), waiting: VecDeque::new(), shared: shared.clone() };
        let source = |_| (Box::new(source) as AnySource<'static, Handed<H::Document, H::Output>>, None);
        let last = last.start_over(Free, total, source, false).into_driven();
        shared.last_began(last.progress().elapsed);
        let all = InARow { before: shared, last, failed: Vec::new() };
        Run::new(Driven::new(Box::new(all), on_progress))
    }
}

impl<H, F, G> Halves for Chain<H, F, G>
where
    H: Halves + 'static,
    H::Output: Rows,
    F: 'static,
    OfRow<F>: CpuStage<Handed<H::Document, H::Output>> + 'static,
    G: GpuStage<<OfRow<F> as CpuStage<Handed<H::Document, H::Output>>>::Prepared> + 'static,
    G::Output: 'static,
{
    type Document = H::Document;
    type Output = G::Output;

    fn start(self, documents: Box<dyn Iterator<Item = H::Document> + Send>) -> Run<H::Document, G::Output> {
        self.run(documents)
    }

    fn common(&mut self) -> &mut Common {
        self.last.how.common()
    }

    fn patience(&self) -> Duration {
        self.before.patience().saturating_add(self.last.how.settings.common.grace)
    }
}

impl<H: Halves, F, G> fmt::Debug for Chain<H, F, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chain").finish_non_exhaustive()
    }
}
