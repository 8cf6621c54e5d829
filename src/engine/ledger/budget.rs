//! How many documents may fail before the run ends.

use crate::engine::settings::{AtMost, OnFailure};

/// Documents from which on a share is looked at; before them, one early failure would be a large share.
const SHARE_FROM: u64 = 100;

/// Counts failures against the policy.
pub(crate) struct Budget {
    policy: OnFailure,
    failed: u64,
}

impl Budget {
    pub(crate) fn new(policy: OnFailure) -> Self {
        Self { policy, failed: 0 }
    }

    /// Counts `failures` of the `seen` documents so far; true if they are more than the policy allows.
    pub(crate) fn exceeded_by(&mut self, failures: u64, seen: u64) -> bool {
        self.failed += failures;
        match self.policy {
            OnFailure::Stop => self.failed > 0,
            OnFailure::Skip => false,
            OnFailure::SkipAtMost(AtMost::Count(most)) => self.failed > most,
            OnFailure::SkipAtMost(AtMost::Share(_)) => seen >= SHARE_FROM && self.share_exceeded(seen),
        }
    }

    /// Whether failures are looked at once more at the end of the source.
    pub(crate) fn looks_at_end(&self) -> bool {
        matches!(self.policy, OnFailure::SkipAtMost(AtMost::Share(_)))
    }

    /// Whether the failures are too large a share of the `seen` documents.
    pub(crate) fn share_exceeded(&self, seen: u64) -> bool {
        match self.policy {
            OnFailure::SkipAtMost(AtMost::Share(share)) => self.failed as f64 > share * seen as f64,
            _ => false,
        }
    }
}
