//! How a pipeline becomes a run: its settings are checked, its types forgotten, and the engine started.

use super::drive::{Driven, Engine, NotStarted};
use super::gather::Rest;
use super::how::{Hook, How, Late};
use super::job::{self, JobOf};
use super::{Mode, Pipeline, Run, guard};
use crate::engine::road::job::After;
use crate::engine::road::source::AnySource;
use crate::engine::seam::Seam;
use crate::engine::settings::LastBatch;
use crate::engine::start::{Crew, Free, Plan, start};
use crate::error::Error;
use crate::place::Position;
use crate::stage::{CpuStage, GpuStage};

impl<D, C, G, A, M> Pipeline<D, C, G, A, M>
where
    M: Mode<D>,
    C: CpuStage<M::Item, Prepared: 'static>,
    G: GpuStage<C::Prepared>,
    A: After<M::Item, G::Output>,
{
    pub(super) fn start<I>(self, documents: I, sequential: bool) -> Run<D, A::Delivered>
    where
        D: Send + 'static,
        C: 'static,
        G: 'static,
        A: 'static,
        I: Iterator<Item = D> + Send + 'static,
    {
        Run::new(self.start_by(Free, documents, sequential))
    }

    /// Starts a run over these documents; what the crew's threads may borrow, stages and documents may.
    pub(super) fn start_by<'a, I>(
        self,
        crew: impl Crew<'a, JobOf<'a, D, C, G, A, M>>,
        documents: I,
        sequential: bool,
    ) -> Driven<'a, D, A::Delivered>
    where
        D: Send + 'a,
        C: 'a,
        G: 'a,
        A: 'a,
        I: Iterator<Item = D> + Send + 'a,
    {
        let hint = guard(|| documents.size_hint()).unwrap_or_default();
        self.start_over(crew, hint, |batch_size| M::source(documents, batch_size), sequential)
    }

    /// The same over the source that is made for this batch size, which says so much of its length.
    pub(super) fn start_over<'a>(
        self,
        crew: impl Crew<'a, JobOf<'a, D, C, G, A, M>>,
        hint: (usize, Option<usize>),
        source: impl FnOnce(usize) -> (AnySource<'a, M::Item>, Option<Rest<D>>),
        sequential: bool,
    ) -> Driven<'a, D, A::Delivered>
    where
        D: Send + 'a,
        C: 'a,
        G: 'a,
        A: 'a,
    {
        let started = self.try_start(crew, hint, source, sequential);
        started.unwrap_or_else(|error| Driven::new(Box::new(NotStarted(Some(error))), None))
    }

    /// The same; an error where the run cannot start.
    pub(super) fn try_start<'a>(
        self,
        crew: impl Crew<'a, JobOf<'a, D, C, G, A, M>>,
        hint: (usize, Option<usize>),
        source: impl FnOnce(usize) -> (AnySource<'a, M::Item>, Option<Rest<D>>),
        sequential: bool,
    ) -> Result<Driven<'a, D, A::Delivered>, Error>
    where
        D: Send + 'a,
        C: 'a,
        G: 'a,
        A: 'a,
    {
        let Self { cpu, devices, after, how: How { mut settings, hooks }, last_batch, .. } = self;
        let batch_size = settings.batch_size;
        let last_batch = last_batch.and_then(|any| any.downcast::<LastBatch<C::Prepared>>().ok());
        let last_batch = last_batch.map_or_else(LastBatch::default, |last_batch| *last_batch);
        settings.learn_total(hint);
        let on_progress = hooks.on_progress.map(Hook::boxed);
        job::check::<D, M, _>(&mut settings, &last_batch)?;
        let (source, rest) = source(batch_size);
        let plan = Plan::<JobOf<'a, D, C, G, A, M>> {
            seam: Seam::of_a_face(),
            cpu,
            devices,
            after,
            settings,
            last_batch,
            source,
            sequential,
            on_late: hooks.on_late.map(|told| late_documents::<D, M>(told, batch_size).boxed()),
            on_stall: hooks.on_stall.map(Hook::boxed),
        };
        let caller = start(plan, crew)?;
        Ok(Driven::new(Box::new(Engine::<D, M, _>::new(caller, batch_size, rest)), on_progress))
    }
}

/// Driven of documents, where the engine counts batches.
fn late_documents<D, M: Mode<D>>(told: Hook<Late>, batch_size: usize) -> Hook<Late> {
    let documents = if M::WHOLE_BATCH { batch_size as u64 } else { 1 };
    told.of(move |late| Late { position: Position(late.position.0 * documents), ..*late })
}
