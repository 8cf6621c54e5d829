//! What is asked of a batch before and after its stage runs it.

use super::batch::{Batch, Pad};
use super::device_state::BatchOf;
use super::job::Job;
use crate::engine::guard::{drop_user, guard};
use crate::engine::ledger::Weights;
use crate::error::Cause;
use crate::stage::{GpuStage, Output, StageError};

/// The first item that the stage does not accept. Copies that fill a batch up are not asked for.
pub(super) fn first_odd<J: Job>(gpu: &J::Gpu, batch: &BatchOf<J>) -> Option<(usize, Cause)> {
    batch.items.prepared[..batch.items.good()]
        .iter()
        .enumerate()
        .find_map(|(index, item)| Some((index, gpu.accepts(item).err()?)))
}

/// Fills a last batch up with copies, where that was asked for.
pub(super) fn fill_up<D, P>(batch: &mut Batch<D, P>) -> Result<(), StageError> {
    let Some(Pad { copy, size }) = batch.pad.take() else { return Ok(()) };
    while batch.items.prepared.len() < size {
        let Some(last) = batch.items.prepared.last() else { return Ok(()) };
        let copied = guard(|| copy(last)).map_err(StageError::Batch)?;
        batch.items.prepared.push(copied);
    }
    Ok(())
}

/// The law of rows: an output that has rows has one a document.
pub(super) fn check_rows<J: Job>(
    batch: &BatchOf<J>,
    output: J::Output,
    weights: &Weights,
) -> Result<J::Output, StageError> {
    let padding = batch.items.prepared.len() - batch.items.good();
    let expected = weights.of_all(batch.items.positions.iter().copied()) as usize + padding;
    let rows = guard(|| output.rows());
    match rows {
        Err(panic) => {
            drop_user(output);
            Err(StageError::Batch(panic))
        }
        Ok(Some(rows)) if rows != expected => {
            drop_user(output);
            Err(StageError::Batch(Cause::msg(format!(
                "the stage returned {rows} rows for {expected} documents"
            ))))
        }
        _ => Ok(output),
    }
}
