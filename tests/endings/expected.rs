//! What is to come out of a cell.

use gapless::Error;

use crate::cell::{BATCH, Cell, DOCUMENTS, Ending};
use crate::kit::face::{Got, Kind};
use crate::kit::laws::{Law, ensure};

/// How a run is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Simply,
    Stopped(u64),
    Batch(u64),
    DeviceLost(u64),
    Source(u64),
    Deadline,
    Stalled,
}

impl End {
    fn of(error: Option<&Error>) -> Result<Self, String> {
        Ok(match error {
            None => Self::Simply,
            Some(Error::Stopped { position, .. }) => Self::Stopped(position.get()),
            Some(Error::Batch { batch, .. }) => Self::Batch(batch.get()),
            Some(Error::DeviceLost { batch, .. }) => Self::DeviceLost(batch.get()),
            Some(Error::Source { position, .. }) => Self::Source(position.get()),
            Some(Error::Deadline { .. }) => Self::Deadline,
            Some(Error::Stalled { .. }) => Self::Stalled,
            Some(other) => return Err(format!("nobody planted this: {other}")),
        })
    }
}

impl End {
    fn of_any_batch(&mut self) {
        if let Self::Batch(batch) | Self::DeviceLost(batch) = self {
            *batch = 0;
        }
    }
}

impl Cell {
    /// The first document of the item of this one.
    fn first(&self, place: u64) -> u64 {
        place / self.of.item() * self.of.item()
    }

    /// A place as the face gives it: where an item is a collection of the user's own it counts items.
    fn said(&self, place: u64) -> u64 {
        // What is changed in place is named by its documents.
        let in_batches = self.of.kind.in_bags() && !self.of.kind.is_in_place();
        if in_batches { place.div_ceil(self.of.item()) } else { place }
    }

    fn end(&self) -> End {
        let batch = self.index / BATCH;
        let skips = matches!(self.of.kind, Kind::Map | Kind::MapBatch);
        match self.ending {
            Ending::Finished | Ending::Stopped | Ending::Dropped | Ending::DropsPanic => End::Simply,
            // A vectorizer gives the failure itself.
            // A failure is an answer.
            Ending::FailsInCpu | Ending::BudgetIsSpent | Ending::FailsOnDevice
                if self.of.kind == Kind::Served =>
            {
                End::Simply
            }
            Ending::FailsInCpu if skips || self.of.kind == Kind::Vectorizer => End::Simply,
            Ending::FailsInCpu => End::Stopped(self.said(self.first(self.index))),
            Ending::BudgetIsSpent if skips => End::Simply,
            Ending::BudgetIsSpent if self.of.kind == Kind::Batches => End::Stopped(self.first(self.index)),
            Ending::BudgetIsSpent if self.index + 1 == DOCUMENTS => End::Simply,
            Ending::BudgetIsSpent => End::Stopped(self.index + 1),
            Ending::FailsInThen => End::Stopped(self.index),
            // A program refuses what it cannot take, and not its batch.
            Ending::FailsOnDevice if self.of.kind == Kind::Embed => End::Stopped(self.index),
            Ending::FailsOnDevice => End::Batch(batch),
            // Another goes on with what it had.
            Ending::DeviceIsGivenUp if self.of.devices > 1 => End::Simply,
            Ending::DeviceIsGivenUp => End::DeviceLost(batch),
            Ending::SourcePanics => End::Source(self.said(self.index.next_multiple_of(self.of.item()))),
            Ending::Deadline => End::Deadline,
            Ending::StalledInCpu | Ending::StalledOnDevice => End::Stalled,
        }
    }

    /// How many documents are delivered, the first ones; `None` where that is not known.
    fn delivered(&self) -> Option<u64> {
        let all = self.documents();
        let taken = self.results().saturating_mul(self.of.result()).min(all);
        let before_batch = self.index / BATCH * BATCH;
        match self.ending {
            // What is done further on is done before a run knows that it ends.
            _ if self.of.kind == Kind::Embed && self.end() != End::Simply => None,
            // Requests come to a server as they are submitted, and are answered as they are done.
            Ending::FailsInCpu if self.of.kind == Kind::Served => Some(all - 1),
            _ if self.of.kind == Kind::Served && self.end() != End::Simply => None,
            Ending::BudgetIsSpent | Ending::FailsOnDevice if self.of.kind == Kind::Served => None,
            // They do not say what is done.
            _ if matches!(self.of.kind, Kind::Apply | Kind::ApplyBatch) => None,
            Ending::Finished | Ending::DropsPanic => Some(taken),
            Ending::Stopped | Ending::Dropped => Some(taken),
            // Their stops leave what was ready.
            Ending::FailsInCpu if matches!(self.of.kind, Kind::Map | Kind::MapBatch) => {
                Some(all - self.of.item())
            }
            Ending::FailsInCpu if self.of.kind == Kind::Vectorizer => None,
            Ending::FailsInCpu => Some(self.first(self.index)),
            Ending::FailsOnDevice => Some(before_batch),
            Ending::SourcePanics if self.of.kind != Kind::Vectorizer => Some(self.index),
            Ending::DeviceIsGivenUp if self.of.devices > 1 => Some(taken),
            Ending::DeviceIsGivenUp if self.of.devices == 1 => Some(before_batch),
            Ending::StalledOnDevice => Some(before_batch),
            _ => None,
        }
    }

    /// Whether more than what is delivered may be.
    fn may_deliver_more(&self) -> bool {
        // A stop of a `map` leaves what was ready to be asked for.
        matches!(self.of.kind, Kind::Map | Kind::MapBatch)
            && matches!(self.ending, Ending::Stopped | Ending::DropsPanic)
    }

    pub(crate) fn check(&self, got: &Got) -> Law {
        let (mut end, mut expected) = (End::of(got.error.as_ref())?, self.end());
        if self.of.kind == Kind::Served {
            // Which requests are in a batch is nobody's to say.
            end.of_any_batch();
            expected.of_any_batch();
        }
        ensure!(end == expected, "it ended by {end:?} and not by {expected:?}");
        let Some(expected) = self.delivered() else { return Ok(()) };
        let delivered = got.delivered.len() as u64;
        let enough = delivered == expected || self.may_deliver_more() && delivered > expected;
        ensure!(enough, "{delivered} documents were delivered and not {expected}");
        Ok(())
    }
}
