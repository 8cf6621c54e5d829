//! What a call of the line leaves to be done without its lock.

use crate::engine::road::batch::{Batch, Columns};

/// What a call leaves to be done without the lock.
pub(crate) struct Aftermath<D, P> {
    /// Items that will not come out.
    pub(crate) cancelled: Vec<Columns<D, P>>,
    /// Where there is no device: the batch that was cut.
    pub(crate) cut: Option<Batch<D, P>>,
    /// Devices that have a reason to wake.
    pub(crate) wake: Wake,
    /// Whether the line has just closed itself: nothing more is to be taken in.
    pub(crate) ceased: bool,
    /// No batch follows; so many items are in those that were cut.
    pub(crate) ended: Option<u64>,
    /// A device that has nothing to do need not ask for what stands any more.
    pub(crate) early_is_over: bool,
}

/// Who is to be woken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wake {
    #[default]
    Nobody,
    /// So many devices that wait for a batch.
    Devices(usize),
    All,
}

impl<D, P> Default for Aftermath<D, P> {
    fn default() -> Self {
        Self {
            cancelled: Vec::new(),
            cut: None,
            wake: Wake::Nobody,
            ceased: false,
            ended: None,
            early_is_over: false,
        }
    }
}
