//! How many documents may fail before the run ends.

use crate::engine::settings::{AtMost, OnFailure};
use crate::place::Position;

/// Documents from which on a share is looked at; before them, one early failure would be a large share.
const SHARE_FROM: u64 = 100;

/// Counts failures against the policy.
pub(crate) struct Budget {
    policy: OnFailure,
    failed: u64,
    last: Position,
}

impl Budget {
    pub(crate) fn new(policy: OnFailure) -> Self {
        Self { policy, failed: 0, last: Position::default() }
    }

    /// Counts `failures` of the `seen` documents so far, the last of them at `position`; true if they
    /// are more than the policy allows.
    pub(crate) fn exceeded_by(&mut self, failures: u64, position: Position, seen: u64) -> bool {
        self.failed += failures;
        self.last = self.last.max(position);
        match self.policy {
            OnFailure::Stop => self.failed > 0,
            OnFailure::Skip => false,
            OnFailure::SkipAtMost(AtMost::Count(most)) => self.failed > most,
            OnFailure::SkipAtMost(AtMost::Share(_)) => seen >= SHARE_FROM && self.share_exceeded(seen),
        }
    }

    /// The last failure, where the failures of a whole source of `seen` documents are too large a share.
    pub(crate) fn exceeded_at_end(&self, seen: u64) -> Option<Position> {
        self.share_exceeded(seen).then_some(self.last)
    }

    fn share_exceeded(&self, seen: u64) -> bool {
        match self.policy {
            OnFailure::SkipAtMost(AtMost::Share(share)) => self.failed as f64 > share * seen as f64,
            _ => false,
        }
    }
}
