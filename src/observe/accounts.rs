//! The accounts of a run.

/// Where the documents of a run went.
///
/// The law, at every ending: `pulled == delivered + failed + cancelled + stuck`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Accounts {
    /// Documents that the source gave.
    pub pulled: u64,
    /// Documents that came out with a result.
    pub delivered: u64,
    /// Documents that came out as failures.
    pub failed: u64,
    /// Documents that were pulled and did not come out, since the run ended first. They can be taken back.
    pub cancelled: u64,
    /// Documents inside user code that had not returned when the run gave up waiting for it.
    pub stuck: u64,
}

impl Accounts {
    /// Documents that are still on their way; 0 once a run has ended.
    pub fn in_flight(&self) -> u64 {
        self.pulled - self.delivered - self.failed - self.cancelled - self.stuck
    }

    /// Whether every document that was pulled is accounted for. True once a run has ended.
    pub fn balance(&self) -> bool {
        self.pulled == self.delivered + self.failed + self.cancelled + self.stuck
    }
}
