//! The watchdog: where nothing moves it says who waits for whom, and ends the run where that was asked for.
//!
//! It is a thread of its own, since a caller that does not come back cannot look. It sleeps until the
//! moment at which the last thing that moved will be too long ago, so a run that moves wakes it once in
//! its patience. Nothing of the run waits for it.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::look::Look;
use super::stations::{Stations, Watched};
use crate::engine::guard::guard;
use crate::engine::ledger::Ledger;
use crate::engine::seam::{Condvar, Moment, Mutex, SLICE, Seam};
use crate::engine::settings::{Patience, Watchdog};
use crate::error::stalled::{At, Inside, Stalled, Wait};
use crate::place::Position;

/// Told of each stall.
pub(crate) type OnStall = Box<dyn FnMut(&Stalled) + Send>;

/// What the watchdog and the threads that it watches share.
pub(crate) struct Lookout {
    pub(crate) stations: Stations,
    asked: Patience,
    /// Documents in an item: the engine counts items.
    documents: u64,
    /// Whether a source that waits for its next document is what was to be expected.
    live: bool,
    ended: AtomicBool,
    state: Mutex<State>,
    over: Condvar,
}

#[derive(Default)]
struct State {
    over: bool,
    stalled: Option<Stalled>,
}

impl Lookout {
    pub(crate) fn new(seam: &Seam, asked: Patience, watched: Watched, documents: u64, live: bool) -> Self {
        Self {
            stations: Stations::new(seam, watched),
            asked,
            documents,
            live,
            ended: AtomicBool::new(false),
            state: seam.mutex(State::default()),
            over: seam.condvar(),
        }
    }

    /// The run has ended; so does the watchdog.
    pub(crate) fn close(&self) {
        self.state.lock().over = true;
        self.over.notify_all();
    }

    /// Why the run has to end, where it has.
    pub(crate) fn verdict(&self) -> Option<Stalled> {
        self.ended.load(Ordering::Acquire).then(|| self.state.lock().stalled.clone().unwrap_or_default())
    }

    /// For how long the caller may wait without asking for the verdict; `None` where there is none.
    ///
    /// It does not look at the stations itself, whose lines belong to those who write them: what the watchdog saw
    /// move last was not later than what has moved since, so the caller wakes too early at most.
    pub(crate) fn patience(&self, now: Moment) -> Option<Duration> {
        let due = || self.stations.seen_moving().plus(self.asked.patience).since(now);
        (self.asked.then == Watchdog::End).then(|| due().max(SLICE))
    }

    /// Waits, unless the run is over.
    fn wait(&self, wait: Duration) -> bool {
        let state = self.state.lock();
        !state.over && !self.over.wait_timeout(state, &self.state, wait).over
    }

    /// Ends the run, where that is what it does and the caller is not the reason.
    fn end(&self, stalled: &Stalled) -> bool {
        let caller_alone = stalled.inside.iter().all(|inside| inside.at == At::Caller);
        let ends = self.asked.then == Watchdog::End && (self.stations.caller_waits() || !caller_alone);
        if ends {
            self.state.lock().stalled = Some(stalled.clone());
            self.ended.store(true, Ordering::Release);
        }
        ends
    }

    /// Whether standing still is all that there is to do.
    fn rests(&self, ledger: &Ledger, inside: &[Inside]) -> bool {
        let in_flight = ledger.books.accounts().in_flight();
        let mut user_code = inside.iter().filter(|inside| inside.at != At::Caller);
        in_flight == 0 && user_code.all(|inside| self.live && matches!(inside.at, At::Source(_)))
    }

    fn describe(&self, ledger: &Ledger, after: Duration, look: &Look, inside: Vec<Inside>) -> Stalled {
        let units = ledger.backlog.standing();
        let devices = look.for_batch(&self.stations).into_iter().map(Wait::DeviceForBatch);
        let others = [
            (units > 0).then_some(Wait::WorkForWorker(units)),
            ledger.tokens.feeder_waits().then_some(Wait::FeederForToken),
            self.stations.caller_waits().then_some(Wait::CallerForResult),
        ];
        Stalled {
            after,
            inside: inside.into_iter().map(|inside| self.in_documents(inside)).collect(),
            waits: devices.chain(others.into_iter().flatten()).collect(),
            in_line: ledger.in_line(),
            taken: ledger.tokens.taken(),
            tokens: ledger.tokens.bounded(),
        }
    }

    fn in_documents(&self, inside: Inside) -> Inside {
        let place = |place: Position| Position(place.0 * self.documents);
        let at = match inside.at {
            At::Source(position) => At::Source(place(position)),
            At::Prepare(position) => At::Prepare(place(position)),
            other => other,
        };
        Inside { at, ..inside }
    }
}

/// The loop of the watchdog's thread.
pub(crate) fn run(ledger: &Ledger, lookout: &Lookout, mut on_stall: Option<OnStall>) {
    let (patience, mut told) = (lookout.asked.patience, None);
    let (mut wait, mut look) = (patience, Look::default());
    while lookout.wait(wait) {
        let now = ledger.now();
        let moved = look.again(&lookout.stations, now);
        let after = now.since(moved);
        wait = if after < patience { patience - after } else { patience };
        if after < patience || told == Some(moved) {
            continue;
        }
        let inside = look.inside(&lookout.stations, now);
        if lookout.rests(ledger, &inside) {
            continue;
        }
        told = Some(moved);
        let stalled = lookout.describe(ledger, after, &look, inside);
        ledger.spans.stalled(&stalled);
        let ended = lookout.end(&stalled);
        ledger.threads.alarm().ring();
        tell(&stalled, on_stall.as_mut());
        if ended {
            return;
        }
    }
}

fn tell(stalled: &Stalled, on_stall: Option<&mut OnStall>) {
    match on_stall {
        // A panic of it must not end the watch.
        Some(on_stall) => drop(guard(|| on_stall(stalled))),
        // Lost where nobody reads stderr.
        None => drop(writeln!(std::io::stderr(), "gapless: {stalled}")),
    }
}
