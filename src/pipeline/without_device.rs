//! A run without a GPU half: what is prepared goes straight to the caller.
//!
//! The same engine, with no device thread and no batch that waits to be full: whatever stands at the
//! head of the line comes out at once. Used by `parallel`, whose `map`, `apply`, `parallel` and `Vectorizer`
//! are its public faces.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Duration;

use super::drive::{Driven, Engine, NotStarted};
use super::drop_each;
use super::how::{Hook, How};
use super::mode::PerDocument;
use crate::engine::road::job::sealed::Sealed;
use crate::engine::road::job::{After, Job};
use crate::engine::road::source::{self, AnySource};
use crate::engine::seam::Seam;
use crate::engine::settings::{LastBatch, Settings};
use crate::engine::start::{Crew, Plan, start};
use crate::error::Cause;
use crate::stage::{CpuStage, GpuStage, StageError};

/// Starts a run of this stage over these documents; a batch carries what was prepared.
///
/// Everything without a device goes through here, so what a document becomes need not be `Sync`, and each
/// comes back beside it or in its failure.
///
/// What the crew's threads may borrow, the stage and the documents may.
pub(crate) fn run<'a, D, C, I>(
    crew: impl Crew<'a, WithoutDevice<'a, D, C>>,
    stage: C,
    how: How<Settings>,
    documents: I,
) -> Driven<'a, D, Vec<C::Prepared>>
where
    D: Send + 'a,
    C: CpuStage<D> + 'a,
    I: Iterator<Item = D> + Send + 'a,
{
    let How { mut settings, hooks } = how;
    settings.common.total = settings.common.total.or_else(|| source::length(&documents));
    let plan = Plan::<WithoutDevice<'a, D, C>> {
        seam: Seam::of_a_face(),
        cpu: stage,
        devices: Vec::new(),
        after: AsPrepared(PhantomData),
        settings,
        last_batch: LastBatch::Short,
        source: source::documents(documents),
        sequential: false,
        on_late: hooks.on_late.map(Hook::boxed),
        on_stall: hooks.on_stall.map(Hook::boxed),
    };
    match start(plan, crew) {
        Ok(caller) => Driven::new(Box::new(Engine::<_, PerDocument, _>::new(caller, 1, None)), None),
        Err(error) => Driven::new(Box::new(NotStarted(Some(error))), None),
    }
}

/// The types of a run without a device.
pub(crate) struct WithoutDevice<'a, D, C>(Types<'a, D, C>);

type Types<'a, D, C> = PhantomData<fn() -> (&'a (), D, C)>;

impl<'a, D: Send + 'a, C: CpuStage<D>> Job for WithoutDevice<'a, D, C> {
    type Document = D;
    type Prepared = C::Prepared;
    type Output = ();
    type Delivered = Vec<C::Prepared>;
    type Cpu = C;
    type Gpu = NoDevice;
    type After = AsPrepared<C::Prepared>;
    type Source = AnySource<'a, D>;

    fn documents(_: &D) -> usize {
        1
    }

    fn without_device(prepared: Vec<C::Prepared>) -> Option<Vec<C::Prepared>> {
        Some(prepared)
    }
}

/// The device that is not there: it is never opened and never asked.
#[derive(Debug)]
pub(crate) enum NoDevice {}

impl<P> GpuStage<P> for NoDevice {
    type Output = ();
    type Ticket = ();

    fn submit(&mut self, _: &[P]) -> Result<(), StageError> {
        match *self {}
    }

    fn try_collect(&mut self, (): &mut (), _: Duration) -> Result<Option<()>, StageError> {
        match *self {}
    }
}

/// Nothing is done after a device that is not there: the batch carries what was prepared.
#[derive(Debug)]
pub(crate) struct AsPrepared<P>(PhantomData<fn() -> P>);

impl<P> Sealed for AsPrepared<P> {}

impl<D, P: Send> After<D, ()> for AsPrepared<P> {
    type Delivered = Vec<P>;
    type Part = Infallible;
    const PER_ROW: bool = false;

    fn whole(&self, (): ()) -> Option<Vec<P>> {
        None
    }

    fn part(&self, _: &mut D, (): &(), _: usize) -> Result<Infallible, Cause> {
        Err(Cause::msg("rows are not worked on here"))
    }

    fn discard(prepared: Vec<P>) {
        drop_each(prepared);
    }

    fn join(&self, _: Vec<Infallible>) -> Option<Vec<P>> {
        None
    }
}
