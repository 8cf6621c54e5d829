//! What can be asked of a run from any thread, also while its caller waits for a result.

use crate::engine::measure;
use crate::engine::road::batch::Message;
use crate::engine::road::job::Job;
use crate::engine::road::shared::Road;
use crate::observe::accounts::Accounts;
use crate::observe::progress::Progress;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;

pub(crate) trait Remote: Send + Sync {
    /// Has the caller end the run, whose next item is then the end.
    fn stop(&self);
    fn accounts(&self) -> Accounts;
    fn progress(&self) -> Progress;
    fn report(&self) -> Report;
    /// What was recorded so far; `None` where the run is not recorded.
    fn timeline(&self) -> Option<Timeline>;
}

impl<J: Job> Remote for Road<J> {
    fn stop(&self) {
        if self.ledger.ask_to_end() {
            self.tell(Message::Stopped);
        }
    }

    fn accounts(&self) -> Accounts {
        self.ledger.books.accounts()
    }

    fn progress(&self) -> Progress {
        self.ledger.progress()
    }

    fn report(&self) -> Report {
        measure::report(&self.ledger, self.decisions())
    }

    fn timeline(&self) -> Option<Timeline> {
        measure::timeline(&self.ledger)
    }
}
