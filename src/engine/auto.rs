//! Choosing batch size, `ahead` and ramp for a run, from its own first batches.
//!
//! While costs are learnt the first batches are small: a device that has nothing to do gets what stands in
//! the line. As soon as the launch can be told from the documents, one pure function ([`choose`]) decides;
//! the line cuts at the new size from then on, and tokens beyond it are withheld. At twice as many batches it
//! looks again: it decides again where documents come at another pace, and learns again where batches take
//! another time than was expected, be it that few of them told too little.
//!
//! It never waits, never runs user code, and reads the clock only where the device thread has read it.
//!
//! Uses: `ledger`. Used by: `road`, which carries out what it decides; `start`.

mod choose;
mod fixed;
mod learn;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use self::choose::{Estimate, Frame};
pub(crate) use self::fixed::before_the_run;
use self::learn::{Learned, Look, Totals};
use super::ledger::Ledger;
use super::seam::{Moment, Mutex, Seam, cores};
use super::settings::Asked;
use crate::observe::decision::Decision;
use crate::schedule::cutter::Early;
use crate::schedule::tokens::{self, Room};

/// What a run was left to choose, and within which limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope {
    pub(crate) asked: Asked,
    pub(crate) workers: usize,
    pub(crate) devices: usize,
    /// Whether a device is the CPU.
    pub(crate) shares_cpu: bool,
    pub(crate) largest: usize,
    /// The most, where it is left to gapless.
    pub(crate) ahead: usize,
    /// Whether the run was told to ramp up.
    pub(crate) ramp: bool,
    /// Batches in flight beside those ahead: on the devices, being filled, in `then`.
    pub(crate) beside: usize,
    /// Tokens that there are in all.
    pub(crate) tokens: usize,
    /// Tokens that items of this kind have at least.
    pub(crate) least_tokens: usize,
    /// Documents of the source, where it says so.
    pub(crate) length: Option<u64>,
    /// Whether the source is live, and how long a document of it may be on its way.
    pub(crate) live: bool,
    pub(crate) target_latency: Option<Duration>,
}

/// Batches ahead before anything is known.
const FIRST_AHEAD: usize = tokens::AHEAD;

impl Scope {
    /// Items at which a batch is cut, and tokens that are allowed, with batches of this size.
    fn room(&self, size: usize, ahead: usize) -> Room {
        let items = tokens::for_batches(ahead + self.beside, size, self.workers);
        Room::new(items, self.least_tokens, self.tokens)
    }

    /// The same before anything is known.
    fn first_room(&self) -> Room {
        self.room(self.largest, if self.asked.ahead { self.ahead.min(FIRST_AHEAD) } else { self.ahead })
    }
}

/// What decides for one run.
pub(crate) struct Chooser {
    scope: Scope,
    state: Mutex<State>,
    /// Whether a device that has nothing to do should ask the line.
    early: AtomicBool,
    /// The slowest document so far, in nanoseconds.
    slowest: AtomicU64,
}

#[derive(Default)]
struct State {
    learned: Learned,
    step: Step,
    chosen: Option<Chosen>,
    decisions: Vec<Decision>,
    /// Decisions so far.
    made: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum Step {
    #[default]
    Learns,
    Decided,
}

/// What line and tokens are told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CutAt {
    /// Which decision it is: a later one holds, whichever comes to the line first.
    pub(crate) decision: u64,
    pub(crate) size: usize,
    /// Items at which the open batch is cut.
    pub(crate) limit: usize,
    pub(crate) early: Early,
    /// Tokens that are allowed.
    pub(crate) tokens: usize,
}

/// What was decided.
struct Decided {
    size: usize,
    ahead: usize,
    early: Early,
}

/// The choice in force.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    /// What it rests on.
    from: Estimate,
    size: usize,
    ahead: usize,
    early: bool,
}

impl Chooser {
    pub(crate) fn new(seam: &Seam, scope: Scope) -> Self {
        Self {
            scope,
            state: seam.mutex(State::default()),
            early: AtomicBool::new(scope.asked.cuts() && !scope.live),
            slowest: AtomicU64::new(0),
        }
    }

    /// Items at which a batch is cut, and tokens that are allowed, before anything is known.
    pub(crate) fn first_room(&self) -> Room {
        self.scope.first_room()
    }

    /// Whether a device that has nothing to do should ask the line for what stands.
    pub(crate) fn feeds_idle(&self) -> bool {
        self.early.load(Ordering::Relaxed)
    }

    pub(crate) fn feed_idle_no_more(&self) {
        self.early.store(false, Ordering::Relaxed);
    }

    /// So many documents were prepared in one go.
    pub(crate) fn prepared(&self, time: Duration, items: usize) {
        let each = u64::try_from(time.as_nanos() / items.max(1) as u128).unwrap_or(u64::MAX);
        self.slowest.fetch_max(each, Ordering::Relaxed);
    }

    /// What was decided so far, oldest first.
    pub(crate) fn decisions(&self) -> Vec<Decision> {
        self.state.lock().decisions.clone()
    }

    /// A device ran a batch by itself: decides where it is time to.
    pub(crate) fn ran(&self, ledger: &Ledger, items: usize, took: Duration) -> Option<CutAt> {
        let mut state = self.state.lock();
        state.learned.add(items, took.as_secs_f64());
        if !self.is_due(&state) {
            return None;
        }
        let Decided { size, ahead, early } = self.decide(&mut state, totals(ledger), ledger.now())?;
        state.made += 1;
        let Room { limit, tokens } = self.scope.room(size, ahead);
        if early != Early::GoesOn {
            self.early.store(early == Early::Anew, Ordering::Relaxed);
        }
        Some(CutAt { decision: state.made, size, limit, early, tokens })
    }

    fn slowest(&self) -> f64 {
        Duration::from_nanos(self.slowest.load(Ordering::Relaxed)).as_secs_f64()
    }

    /// Whether it is time to decide, or to look again.
    fn is_due(&self, state: &State) -> bool {
        let asked = self.scope.asked;
        match state.step {
            Step::Learns if asked.cuts() && self.scope.largest > 1 => {
                state.learned.enough(self.scope.largest)
            }
            Step::Learns => state.learned.several(2),
            Step::Decided => state.learned.is_due(),
        }
    }

    /// Decides where enough is known or documents come at another pace, and learns anew where batches take
    /// another time than was expected.
    fn decide(&self, state: &mut State, totals: Totals, now: Moment) -> Option<Decided> {
        let look = match (state.step, state.chosen) {
            (Step::Decided, Some(chosen)) => state.learned.look(&chosen.from, &totals, self.slowest()),
            _ => Look::Others(state.learned.costs(&totals, self.slowest())),
        };
        state.learned.looked(totals);
        let costs = match (look, state.chosen) {
            (Look::Same, _) => return None,
            (Look::Wrong(_), Some(chosen))
                if self.scope.asked.batch_size && self.scope.largest > 1 && !self.scope.live =>
            {
                state.learned.forget();
                state.step = Step::Learns;
                return Some(Decided { size: self.scope.largest, ahead: chosen.ahead, early: Early::Anew });
            }
            (Look::Wrong(costs) | Look::Others(costs), _) => costs,
        };
        let (chosen, decisions) = self.choose(costs, state);
        let news = decisions.into_iter().map(|decision| Decision { at_s: now.as_secs_f64(), ..decision });
        state.decisions = news.fold(std::mem::take(&mut state.decisions), with_news);
        (state.chosen, state.step) = (Some(chosen), Step::Decided);
        let early = if chosen.early { Early::GoesOn } else { Early::Over };
        Some(Decided { size: chosen.size, ahead: chosen.ahead, early })
    }

    fn choose(&self, from: Estimate, state: &State) -> (Chosen, Vec<Decision>) {
        let (asked, before) = (self.scope.asked, state.chosen);
        let frame = self.frame(state);
        let mut decisions = Vec::new();
        let mut size = self.scope.largest;
        if asked.batch_size {
            let decision = if self.scope.live {
                choose::for_latency(
                    &from,
                    &frame,
                    self.scope.target_latency.map(|target| target.as_secs_f64()),
                )
            } else {
                let size = choose::batch_size(&from, &frame, before.map(|chosen| chosen.size));
                (size, choose::for_batch_size(&from, &frame, size))
            };
            size = decision.0;
            decisions.push(decision.1);
        }
        let mut ahead = self.scope.ahead;
        if asked.ahead {
            let decision = choose::ahead(&from, &frame, size);
            ahead = decision.0;
            decisions.push(decision.1);
        }
        let mut early = before.map_or(self.scope.ramp, |chosen| chosen.early);
        if asked.ramp() && before.is_none() && !self.scope.live {
            let decision = choose::ramp(&from, &frame, size);
            early = decision.0;
            decisions.push(decision.1);
        }
        (Chosen { from, size, ahead, early }, decisions)
    }

    fn frame(&self, state: &State) -> Frame {
        let Scope { workers, devices, shares_cpu, largest, ahead, length, .. } = self.scope;
        let left = length.map(|length| length.saturating_sub(state.learned.items()));
        let shared = shares_cpu.then(cores);
        Frame { workers, devices, shared, largest, most_ahead: ahead, left: left.filter(|left| *left > 0) }
    }
}

/// A decision is said where it is new: the same value again is not.
fn with_news(mut said: Vec<Decision>, news: Decision) -> Vec<Decision> {
    let before = said.iter().rev().find(|decision| decision.setting == news.setting);
    if before.is_none_or(|before| before.value != news.value) {
        said.push(news);
    }
    said
}

fn totals(ledger: &Ledger) -> Totals {
    let meters = &ledger.meters;
    Totals {
        prepare: meters.prepare.get().as_secs_f64(),
        prepared: meters.prepared.load(Ordering::Relaxed),
        then: meters.then.get().as_secs_f64(),
        source: meters.source.get().as_secs_f64(),
        pulled: ledger.books.accounts().pulled,
    }
}
