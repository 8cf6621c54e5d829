//! The watchdog: where nothing moves it says who waits for whom, and ends the run where that was asked for.
//!
//! It is a thread of its own, since a caller that does not come back cannot look. It sleeps until the
//! moment at which the last thing that moved will be too long ago, so a run that moves wakes it once in
//! its patience. Nothing of the run waits for it.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::device::SLICE;
use super::job::Job;
use super::seam::{Condvar, Moment, Mutex, Seam};
use super::shared::{Shared, guard};
use super::stations::{Doing, Station, Stations};
use super::tokens::UNLIMITED;
use crate::error::stalled::{At, Inside, Stalled, Wait};
use crate::place::Position;

/// What a watchdog does where nothing moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Watchdog {
    /// It says so, once a stall: to the function given to `on_stall`, else on stderr.
    #[default]
    Tell,
    /// It says so, and ends the run with [`Error::Stalled`](crate::Error::Stalled). A run that stands still
    /// since its caller does not ask for results is told about only: the caller is who would be told.
    End,
}

/// Told of each stall.
pub(crate) type OnStall = Box<dyn FnMut(&Stalled) + Send>;

/// What was asked of the watchdog.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    pub(crate) patience: Duration,
    pub(crate) then: Watchdog,
}

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
        let due = || self.stations.moved(now).saturating_add(self.asked.patience).saturating_sub(now);
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
    fn rests<J: Job>(&self, shared: &Shared<J>, inside: &[Inside]) -> bool {
        let in_flight = shared.ledger.lock().accounts().in_flight();
        let mut user_code = inside.iter().filter(|inside| inside.at != At::Caller);
        in_flight == 0 && user_code.all(|inside| self.live && matches!(inside.at, At::Source(_)))
    }

    fn describe<J: Job>(&self, shared: &Shared<J>, after: Duration, inside: Vec<Inside>) -> Stalled {
        let (taken, feeder_waits) = shared.tokens.look();
        let units = shared.work.standing();
        let devices = self.stations.for_batch().into_iter().map(Wait::DeviceForBatch);
        let others = [
            (units > 0).then_some(Wait::WorkForWorker(units)),
            feeder_waits.then_some(Wait::FeederForToken),
            self.stations.caller_waits().then_some(Wait::CallerForResult),
        ];
        Stalled {
            after,
            inside: inside.into_iter().map(|inside| self.in_documents(inside)).collect(),
            waits: devices.chain(others.into_iter().flatten()).collect(),
            in_line: shared.in_line(),
            taken,
            tokens: Some(shared.tokens.total()).filter(|tokens| *tokens < UNLIMITED),
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
pub(crate) fn run<J: Job>(shared: &Arc<Shared<J>>, mut on_stall: Option<OnStall>) {
    let Some(lookout) = &shared.lookout else { return };
    let (patience, mut told) = (lookout.asked.patience, None);
    let mut wait = patience;
    while lookout.wait(wait) {
        let now = shared.seam.now();
        let moved = lookout.stations.moved(now);
        let after = now.saturating_sub(moved);
        wait = if after < patience { patience - after } else { patience };
        if after < patience || told == Some(moved) {
            continue;
        }
        let inside = lookout.stations.inside(now);
        if lookout.rests(shared, &inside) {
            continue;
        }
        told = Some(moved);
        let stalled = lookout.describe(shared, after, inside);
        shared.spans.stalled(&stalled);
        let ended = lookout.end(&stalled);
        shared.threads.alarm().ring();
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
pub(crate) struct Post(Option<Arc<Station>>);

impl Post {
    /// Of a thread that goes from one thing to the next: it does nothing yet.
    pub(crate) fn new<J: Job>(shared: &Shared<J>) -> Self {
        let lookout = shared.lookout.as_ref();
        Self(lookout.map(|lookout| lookout.stations.enter(Doing::Nothing, shared.seam.now())))
    }

    /// Of a thread that begins something now.
    pub(crate) fn begin<J: Job>(shared: &Shared<J>, at: At, now: Moment) -> Self {
        Self(shared.lookout.as_ref().map(|lookout| lookout.stations.enter(Doing::At(at), now)))
    }

    /// The thread of the post is this one.
    pub(crate) fn adopt<J: Job>(&self, shared: &Shared<J>) {
        self.with(shared, |lookout, station| lookout.stations.adopt(station));
    }

    /// It comes to the next document of what it has begun.
    pub(crate) fn next(&self, number: u64) {
        if let Some(station) = &self.0 {
            station.next(number);
        }
    }

    /// It does something else from now on.
    pub(crate) fn set<J: Job>(&self, shared: &Shared<J>, doing: Doing, now: Moment) {
        self.with(shared, |lookout, station| lookout.stations.set(station, doing, now, now));
    }

    /// It does something else, where the clock has not been read.
    pub(crate) fn now<J: Job>(&self, shared: &Shared<J>, doing: Doing) {
        if self.0.is_some() {
            self.set(shared, doing, shared.seam.now());
        }
    }

    /// It waits, and has been waiting since then; that moves nothing.
    pub(crate) fn wait(&self, doing: Doing, since: Moment) {
        if let Some(station) = &self.0 {
            station.set(doing, since);
        }
    }

    /// It goes on with what it has been doing since then.
    pub(crate) fn since<J: Job>(&self, shared: &Shared<J>, at: At, since: Moment) {
        self.with(shared, |lookout, station| {
            lookout.stations.set(station, Doing::At(at), since, shared.seam.now());
        });
    }

    /// It leaves for good.
    pub(crate) fn end<J: Job>(self, shared: &Shared<J>, now: Moment) {
        if let (Some(lookout), Some(station)) = (&shared.lookout, self.0) {
            lookout.stations.leave(station, now);
        }
    }

    fn with<J: Job>(&self, shared: &Shared<J>, change: impl FnOnce(&Lookout, &Arc<Station>)) {
        if let (Some(lookout), Some(station)) = (&shared.lookout, &self.0) {
            change(lookout, station);
        }
    }
}
