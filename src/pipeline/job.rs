//! The types of a pipeline as the engine wants them.

use std::marker::PhantomData;

use super::{Mode, drop_each};
use crate::engine::road::job::{After, Job};
use crate::engine::road::source::AnySource;
use crate::engine::settings::{LastBatch, Settings};
use crate::error::Error;
use crate::stage::{CpuStage, GpuStage};

/// The types of a pipeline, as one.
pub(crate) struct JobOf<'a, D, C, G, A, M>(Types<'a, D, C, G, A, M>);

type Types<'a, D, C, G, A, M> = PhantomData<fn() -> (&'a (), D, C, G, A, M)>;

impl<'a, D, C, G, A, M> Job for JobOf<'a, D, C, G, A, M>
where
    D: Send + 'a,
    M: Mode<D>,
    C: CpuStage<M::Item>,
    G: GpuStage<C::Prepared>,
    A: After<M::Item, G::Output>,
{
    type Document = M::Item;
    type Prepared = C::Prepared;
    type Output = G::Output;
    type Delivered = A::Delivered;
    type Cpu = C;
    type Gpu = G;
    type After = A;
    type Source = AnySource<'a, M::Item>;

    fn documents(document: &M::Item) -> usize {
        M::documents(document)
    }

    fn discard_document(document: M::Item) {
        drop_each(M::unpack(document));
    }
}

/// Checks the settings, and turns documents into items where an item is a whole batch.
pub(crate) fn check<D, M: Mode<D>, P>(
    settings: &mut Settings,
    last_batch: &LastBatch<P>,
) -> Result<(), Error> {
    settings.check()?;
    if !M::WHOLE_BATCH {
        return Ok(());
    }
    if settings.ramp {
        let reason =
            "with per_batch the source is cut before anything is prepared; use Pipeline::new to ramp up";
        return Err(Error::Setting { name: "ramp", reason: reason.into() });
    }
    if settings.asked.batch_size {
        let reason = "with per_batch the source is cut before anything is measured; give a number";
        return Err(Error::Setting { name: "batch_size", reason: reason.into() });
    }
    if !matches!(last_batch, LastBatch::Short) {
        let reason = "with per_batch the last batch is prepared by your own call; pad or drop it there";
        return Err(Error::Setting { name: "last_batch", reason: reason.into() });
    }
    if settings.max_wait.is_some() {
        let reason = "with per_batch a document waits for its batch inside the source; use Pipeline::new";
        return Err(Error::Setting { name: "max_wait", reason: reason.into() });
    }
    settings.items_are_batches();
    Ok(())
}
