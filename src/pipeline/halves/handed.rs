//! A document on its way from one half to the next, with its row, or with why it failed.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::engine::guard::Held;
use crate::error::{Cause, Failure, Stage};
use crate::pipeline::{Batch, drop_user};
use crate::place::{Position, in_order};
use crate::stage::{CpuStage, IntoResult, Rows};

/// A document on its way from one half to the next.
#[doc(hidden)]
pub struct Handed<D, B> {
    /// `None` once it was taken from here.
    document: Option<D>,
    pub(super) position: Position,
    pub(super) came: Came<B>,
}

impl<D, B> Handed<D, B> {
    fn document(&mut self) -> Result<&mut D, Cause> {
        self.document.as_mut().ok_or_else(|| Cause::msg("the document was taken"))
    }

    pub(super) fn into_left(mut self) -> Option<(Position, D)> {
        Some((self.position, self.document.take()?))
    }
}

impl<D, B> Drop for Handed<D, B> {
    fn drop(&mut self) {
        // What it came with has guards of its own.
        drop_user(self.document.take());
    }
}

/// How a document came out of a half.
pub(super) enum Came<O> {
    WithRow(Arc<Held<O>>, usize),
    Failed(Stage, Cause),
}

/// A CPU stage on each document and its row of the half before.
#[doc(hidden)]
pub struct OfRow<F>(pub(super) F);

#[diagnostic::do_not_recommend]
impl<D, B, R, F> CpuStage<Handed<D, B>> for OfRow<F>
where
    B: Rows,
    F: Fn(&mut D, B::Row<'_>) -> R + Send + Sync,
    R: IntoResult<Value: Send>,
{
    type Prepared = R::Value;

    fn prepare(&self, handed: &mut Handed<D, B>) -> Result<R::Value, Cause> {
        let (output, row) = match &handed.came {
            Came::WithRow(output, row) => (output.clone(), *row),
            Came::Failed(_, cause) => return Err(cause.clone()),
        };
        (self.0)(handed.document()?, output.row(row)).into_result()
    }
}

/// The documents of a batch with their rows, and those that failed, in the order of the source.
pub(super) fn hand_on<D, B>(batch: Batch<D, B>) -> VecDeque<Handed<D, B>> {
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
    in_order(good.chain(failed), |handed| handed.position.whole()).into()
}
