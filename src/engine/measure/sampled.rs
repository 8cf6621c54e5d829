//! How much of the time of work was processor time, looked at where that costs next to nothing: a look is a call of
//! the system.

use std::cell::Cell;
use std::time::Duration;

use crate::engine::seam::{Moment, Seam};
use crate::observe::meters::Worked;

/// Work that takes so long may always be looked at.
const LONG: Duration = Duration::from_micros(50);
/// How long a thread looks away from work of a kind that was shorter.
const REST: Duration = Duration::from_millis(1);

/// Kinds of work. One that is short says nothing of another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    Prepare,
    Then,
    Submit,
    Collect,
}

thread_local! {
    /// When this thread last found work of each kind short. It may have been in another run, whose clock started at
    /// another time.
    static SHORT: [Cell<Option<Moment>>; 4] = const { [const { Cell::new(None) }; 4] };
}

/// Work that began a moment ago; whether it is looked at.
pub(crate) struct Sampled {
    work: Work,
    began: Option<(Moment, Duration)>,
}

impl Sampled {
    /// Work begins now, on this thread.
    pub(crate) fn begin(seam: &Seam, work: Work, now: Moment) -> Self {
        let rests = |last: Moment| last <= now && now.since(last) < REST;
        let rests = SHORT.with(|short| short[work as usize].get().is_some_and(rests));
        let used = if rests { None } else { seam.thread_time() };
        Self { work, began: used.map(|used| (now, used)) }
    }

    /// It ended now.
    pub(crate) fn end(self, seam: &Seam, now: Moment, worked: &Worked) {
        let Some((began, before)) = self.began else { return };
        let Some(used) = seam.thread_time() else { return };
        let took = now.since(began);
        worked.add(took, used.saturating_sub(before));
        if took < LONG {
            SHORT.with(|short| short[self.work as usize].set(Some(now)));
        }
    }
}
