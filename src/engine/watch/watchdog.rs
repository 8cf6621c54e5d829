//! The watchdog: where nothing moves it says who waits for whom, and ends the run where that was asked for.
//!
//! It is a thread of its own, since a caller that does not come back cannot look. It sleeps until the
//! moment at which the last thing that moved will be too long ago, so a run that moves wakes it once in
//! its patience. Nothing of the run waits for it.

use std::io::Write as _;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::stations::{Doing, Station, Stations};
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
    pub(crate) fn new(seam: &Seam, asked: Patience, documents: u64, live: bool) -> Self {
        Self {
            stations: Stations::new(seam),
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
    pub(crate) fn patience(&self, now: Moment) -> Option<Duration> {
        let due = || self.stations.moved(now).plus(self.asked.patience).since(now);
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

    fn describe(&self, ledger: &Ledger, after: Duration, inside: Vec<Inside>) -> Stalled {
        let units = ledger.backlog.standing();
        let devices = self.stations.for_batch().into_iter().map(Wait::DeviceForBatch);
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
    let mut wait = patience;
    while lookout.wait(wait) {
        let now = ledger.now();
        let moved = lookout.stations.moved(now);
        let after = now.since(moved);
        wait = if after < patience { patience - after } else { patience };
        if after < patience || told == Some(moved) {
            continue;
        }
        let inside = lookout.stations.inside(now);
        if lookout.rests(ledger, &inside) {
            continue;
        }
        told = Some(moved);
        let stalled = lookout.describe(ledger, after, inside);
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

/// A thread's place at its station, where there is a watchdog.
///
/// A thread that goes on for the whole run shares the lookout; a unit of work borrows it, so that workers do not
/// count on one reference.
pub(crate) struct Post<L = Arc<Lookout>>(Option<(L, Arc<Station>)>);

impl<L: Deref<Target = Lookout>> Post<L> {
    /// Of a thread that does this from now on.
    pub(crate) fn begin(lookout: Option<L>, doing: Doing, now: Moment) -> Self {
        Self(lookout.map(|lookout| {
            let station = lookout.stations.enter(doing, now);
            (lookout, station)
        }))
    }

    /// The thread of the post is this one.
    pub(crate) fn adopt(&self) {
        self.with(|lookout, station| lookout.stations.adopt(station));
    }

    /// It comes to the next document of what it has begun.
    pub(crate) fn next(&self, number: u64) {
        self.with(|_, station| station.next(number));
    }

    /// It does something else from now on.
    pub(crate) fn set(&self, doing: Doing, now: Moment) {
        self.with(|lookout, station| lookout.stations.set(station, doing, now, now));
    }

    /// It does something else, where the clock has not been read.
    pub(crate) fn now(&self, seam: &Seam, doing: Doing) {
        if self.0.is_some() {
            self.set(doing, seam.now());
        }
    }

    /// It waits, and has been waiting since then; that moves nothing.
    pub(crate) fn wait(&self, doing: Doing, since: Moment) {
        self.with(|_, station| station.set(doing, since));
    }

    /// It goes on with what it has been doing since then.
    pub(crate) fn since(&self, seam: &Seam, at: At, since: Moment) {
        self.with(|lookout, station| lookout.stations.set(station, Doing::At(at), since, seam.now()));
    }

    /// It leaves for good.
    pub(crate) fn end(self, now: Moment) {
        if let Some((lookout, station)) = self.0 {
            lookout.stations.leave(station, now);
        }
    }

    fn with(&self, change: impl FnOnce(&Lookout, &Arc<Station>)) {
        if let Some((lookout, station)) = &self.0 {
            change(lookout, station);
        }
    }
}
