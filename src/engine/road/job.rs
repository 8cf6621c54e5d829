//! The types of one run, named once instead of carried as five parameters through every file.

use std::convert::Infallible;

use super::source::Source;
use crate::engine::guard::{drop_each, drop_user};
use crate::error::Cause;
use crate::stage::{CpuStage, GpuStage, IntoResult, Output, Rows};

/// The types of one run.
pub(crate) trait Job: Send + Sync + Sized {
    type Document: Send;
    type Prepared: Send;
    type Output: Output;
    type Delivered: Send;
    type Cpu: CpuStage<Self::Document, Prepared = Self::Prepared>;
    type Gpu: GpuStage<Self::Prepared, Output = Self::Output>;
    type After: After<Self::Document, Self::Output, Delivered = Self::Delivered>;
    type Source: Source<Self::Document>;

    /// Documents in one item. Asked once, when it was pulled and before any user code has it.
    fn documents(document: &Self::Document) -> usize;

    /// Drops a document that nobody takes back.
    fn discard_document(document: Self::Document) {
        drop_user(document);
    }

    /// Drops what a batch would have carried.
    fn discard(delivered: Self::Delivered) {
        Self::After::discard(delivered);
    }

    /// What a batch of prepared items carries in a run without a device.
    fn without_device(_: Vec<Self::Prepared>) -> Option<Self::Delivered> {
        None
    }
}

/// What is done with a batch's output before it is handed over: nothing ([`AsItIs`]), or a function
/// on each document and its row ([`Then`]).
pub trait After<D, O>: sealed::Sealed + Send + Sync {
    /// What a batch carries.
    type Delivered: Send;
    /// What one document's row becomes.
    type Part: Send;
    /// Whether each document's row is worked on, by the workers.
    const PER_ROW: bool;

    /// The output as it is handed over, where rows are not worked on.
    fn whole(&self, output: O) -> Option<Self::Delivered>;
    /// Works on one document and its row.
    fn part(&self, document: &mut D, output: &O, row: usize) -> Result<Self::Part, Cause>;
    /// Drops what a batch would have carried: user code, which may panic.
    fn discard(delivered: Self::Delivered) {
        drop_user(delivered);
    }
    /// The output of a batch whose rows were worked on.
    fn join(&self, parts: Vec<Self::Part>) -> Option<Self::Delivered>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AsItIs {}
    impl<F> Sealed for super::Then<F> {}
}

/// The output is handed over as the device gave it.
#[derive(Debug)]
pub struct AsItIs(pub(crate) ());

impl<D, O: Output> After<D, O> for AsItIs {
    type Delivered = O;
    type Part = Infallible;
    const PER_ROW: bool = false;

    fn whole(&self, output: O) -> Option<O> {
        Some(output)
    }

    fn part(&self, _: &mut D, _: &O, _: usize) -> Result<Infallible, Cause> {
        Err(Cause::msg("rows are not worked on here"))
    }

    fn join(&self, _: Vec<Infallible>) -> Option<O> {
        None
    }
}

/// A function on each document and its row.
pub struct Then<F>(pub(crate) F);

impl<D, O, R, F> After<D, O> for Then<F>
where
    O: Rows,
    F: Fn(&mut D, O::Row<'_>) -> R + Send + Sync,
    R: IntoResult<Value: Send + Sync>,
{
    type Delivered = Vec<R::Value>;
    type Part = R::Value;
    const PER_ROW: bool = true;

    fn whole(&self, _: O) -> Option<Vec<R::Value>> {
        None
    }

    fn part(&self, document: &mut D, output: &O, row: usize) -> Result<R::Value, Cause> {
        (self.0)(document, output.row(row)).into_result()
    }

    fn discard(parts: Vec<R::Value>) {
        drop_each(parts);
    }

    fn join(&self, parts: Vec<R::Value>) -> Option<Vec<R::Value>> {
        Some(parts)
    }
}
