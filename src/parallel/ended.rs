//! What is known of a run that is over.

use super::items::Items;
use crate::error::Error;
use crate::observe::accounts::Accounts;
use crate::observe::report::Report;
use crate::observe::timeline::Timeline;

/// What is known of a run that is over, where its face gave the results and not the run.
///
/// ```
/// use gapless::{Cause, parallel};
/// let mut words = vec!["a".to_string(), "b".to_string()];
/// let shout = |word: &mut String| Ok::<_, Cause>(word.push('!'));
/// let applied = parallel::apply(&mut words, shout).workers(2).trace(true).run()?;
/// assert_eq!(applied.run.accounts().delivered, 2);
/// println!("{}", applied.run.report());
/// assert!(applied.run.timeline().unwrap().svg().starts_with("<svg"));
/// # Ok::<(), parallel::ApplyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Ended(Box<Known>);

#[derive(Clone, Debug)]
struct Known {
    report: Report,
    timeline: Result<Timeline, Error>,
}

impl Ended {
    pub(super) fn of<D, R, S>(items: &Items<'_, D, R, S>) -> Self {
        Self(Box::new(Known { report: items.report(), timeline: items.run.timeline() }))
    }

    /// Where the time went, and what to change.
    pub fn report(&self) -> &Report {
        &self.0.report
    }

    /// Where the documents went.
    pub fn accounts(&self) -> Accounts {
        self.0.report.accounts
    }

    /// Who did what when.
    ///
    /// # Errors
    /// [`Error::Setting`] where the run was not recorded: see [`trace`](super::Parallel::trace).
    pub fn timeline(&self) -> Result<&Timeline, Error> {
        self.0.timeline.as_ref().map_err(Clone::clone)
    }
}
