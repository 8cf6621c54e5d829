//! A budget for what is in flight, in items.
//!
//! What counts is the prepared items: the engine cannot see what documents and outputs own.

use super::{Memory, Settings};
use crate::error::Error;
use crate::schedule::tokens;

impl Settings {
    /// Items that the memory holds; `None` where it is not bounded. `known` is what the CPU stage, or the
    /// type, says of one.
    pub(crate) fn items_in_memory(&self, known: Option<usize>) -> Result<Option<usize>, Error> {
        let Some(Memory { bytes, item }) = self.memory else { return Ok(None) };
        let Some(item) = item.or(known) else {
            return Err(refuse(
                "nothing says how large a prepared item is: give Memory::of(bytes).item(bytes), or implement \
                 CpuStage::prepared_bytes"
                    .into(),
            ));
        };
        let item = item.max(1);
        if bytes / item < 2 {
            let reason = format!("{bytes} bytes do not hold two prepared items of {item} bytes; give more");
            return Err(refuse(reason));
        }
        Ok(Some(bytes / item))
    }

    /// Copies that fill batches up: they are made as a batch goes to its device, and take memory as items do.
    pub(crate) fn copies(&self, depths: usize) -> usize {
        if self.pads { depths.saturating_mul(self.batch_size - 1) } else { 0 }
    }

    /// Takes batch size and `ahead` back to what so many items hold, where they are left to gapless; an
    /// error where they are not and do not fit.
    pub(crate) fn fit(&mut self, items: Option<usize>, depths: usize, then: bool) -> Result<(), Error> {
        let Some(items) = items.filter(|_| !self.whole_batches) else { return Ok(()) };
        let beside = tokens::beside(depths, then);
        let ahead = if self.asked.ahead { 1 } else { self.ahead() };
        if self.asked.batch_size {
            let copied = if self.pads { depths } else { 0 };
            self.batch_size = self.batch_size.min((items + copied) / (ahead + beside + copied)).max(1);
        }
        let items = items.saturating_sub(self.copies(depths));
        if self.asked.ahead {
            let most = (items / self.batch_size).saturating_sub(beside).max(1);
            self.common.ahead = Some(self.ahead().min(most));
        }
        let batches = self.ahead() + beside;
        // Two items are always enough to go on; batches of one may share them.
        if self.batch_size > 1 && batches * self.batch_size > items {
            let (size, all) = (self.batch_size, batches * self.batch_size);
            let beside_copies = if self.pads { " beside the copies that fill batches up" } else { "" };
            let reason = format!(
                "{batches} batches of {size} may be in flight, {all} prepared items, and the memory holds {items}{beside_copies}; \
                 give more, a smaller batch_size or ahead, or Auto"
            );
            return Err(refuse(reason));
        }
        Ok(())
    }
}

fn refuse(reason: String) -> Error {
    Error::Setting { name: "memory", reason }
}
