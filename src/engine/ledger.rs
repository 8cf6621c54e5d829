//! What is known of a run without its types: where its documents are, in counts; its tokens; how many may fail;
//! why it ends, and whether it has to.
//!
//! It is compiled once, and holds no document. Policy stands here and nowhere else. The threads of the road
//! write it, `watch`, `measure` and `auto` read it.
//!
//! Uses: `seam`, `settings`.

mod accounts;
mod budget;
mod facts;
mod progress;
mod tokens;

use std::sync::atomic::Ordering;
use std::time::Duration;

pub(crate) use self::accounts::{Books, Weights};
use self::budget::Budget;
pub(crate) use self::facts::{Facts, Predictable};
pub(crate) use self::tokens::{Tokens, UNLIMITED};
use super::seam::atomics::{AtomicBool, AtomicU64};
use super::seam::{Condvar, Moment, Mutex, Seam, Threads};
use super::settings::OnFailure;
use crate::error::{Cause, Error, Stage};
use crate::observe::meters::{Mark, Meters};
use crate::observe::record::{Recorder, Recording, Span};
use crate::observe::spans::Spans;
use crate::place::Position;
use crate::stage::Goes;

pub(crate) struct Ledger {
    pub(crate) seam: Seam,
    pub(crate) threads: Threads,
    pub(crate) tokens: Tokens,
    pub(crate) books: Books,
    pub(crate) backlog: Backlog,
    pub(crate) meters: Meters,
    pub(crate) spans: Spans,
    /// Where the run is recorded.
    pub(crate) recorder: Option<Recorder>,
    pub(crate) facts: Facts,
    /// When a result was put before the caller last, or the end.
    pub(crate) last_result: Mark,
    /// Processor time that the process had used when the run ended.
    used_at_end: Mark,
    verdict: Mutex<Verdict>,
    stop: AtomicBool,
    /// Somebody wants the caller to end the run.
    asked_to_end: AtomicBool,
    /// Whoever rests between two looks is woken by a stop.
    resting: Mutex<()>,
    stopping: Condvar,
    /// The feeder is inside the source.
    pub(crate) in_source: AtomicBool,
    left_behind: Mutex<Vec<String>>,
}

/// Units of work that nobody has begun.
#[derive(Default)]
pub(crate) struct Backlog {
    /// Groups that the feeder has put into the queue. It alone writes this.
    pub(crate) pushed: AtomicU64,
    /// Groups that workers have begun, or that were taken out again. Written under the lock of the queue.
    pub(crate) begun: AtomicU64,
    /// Units of `then`. Written under the lock of the queue.
    pub(crate) rows: AtomicU64,
    /// Batches that no device has taken. Written under the lock of the line; a device looks here before it sleeps.
    pub(crate) batches: AtomicU64,
}

impl Backlog {
    /// Units that wait for a worker.
    pub(crate) fn standing(&self) -> usize {
        let begun = self.begun.load(Ordering::SeqCst);
        let groups = self.pushed.load(Ordering::SeqCst).saturating_sub(begun);
        usize::try_from(groups + self.rows.load(Ordering::SeqCst)).unwrap_or(usize::MAX)
    }
}

impl Goes for Ledger {
    fn is_stopped(&self) -> bool {
        self.stopped() || self.is_asked_to_end()
    }

    fn rest(&self, time: Duration) {
        Self::rest(self, time);
    }
}

/// Why the run ends, and when failures are a reason.
struct Verdict {
    budget: Budget,
    /// The last failure as the reason, where the end of the source may make it one.
    last: Option<(Position, Error)>,
    ending: Option<Error>,
}

/// What a ledger is made of.
pub(crate) struct Opening {
    pub(crate) seam: Seam,
    pub(crate) threads: Threads,
    pub(crate) tokens: usize,
    /// Documents in an item.
    pub(crate) documents: u64,
    pub(crate) on_failure: OnFailure,
    pub(crate) spans: Spans,
    pub(crate) recording: Recording,
    pub(crate) facts: Facts,
}

impl Ledger {
    pub(crate) fn new(opening: Opening) -> Self {
        let Opening { seam, threads, tokens, documents, on_failure, spans, recording, facts } = opening;
        Self {
            tokens: Tokens::new(&seam, tokens),
            books: Books::new(documents),
            backlog: Backlog::default(),
            meters: Meters::default(),
            recorder: Recorder::new(recording),
            last_result: Mark::default(),
            used_at_end: Mark::default(),
            verdict: seam.mutex(Verdict { budget: Budget::new(on_failure), last: None, ending: None }),
            stop: AtomicBool::new(false),
            asked_to_end: AtomicBool::new(false),
            resting: seam.mutex(()),
            stopping: seam.condvar(),
            in_source: AtomicBool::new(false),
            left_behind: seam.mutex(Vec::new()),
            threads,
            spans,
            facts,
            seam,
        }
    }

    pub(crate) fn now(&self) -> Moment {
        self.seam.now()
    }

    /// The run has ended, for its caller too.
    pub(crate) fn ended(&self, now: Moment) {
        self.meters.ended.set_first(now);
        if let Some(used) = self.seam.process_time() {
            self.used_at_end.set_first(Moment::at(used));
        }
    }

    /// Processor time that the process has used, until the run ended; `None` where the system does not tell.
    pub(crate) fn process_time(&self) -> Option<Duration> {
        let at_end = self.used_at_end.get().map(|used| used.since(Moment::ZERO));
        at_end.or_else(|| self.seam.process_time())
    }

    /// Whether nothing more may come out.
    pub(crate) fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    /// Nothing more may come out: whoever waits for a token, or rests, wakes.
    pub(crate) fn stop(&self) {
        self.stop.store(true, Ordering::SeqCst);
        self.tokens.stop();
        drop(self.resting.lock());
        self.stopping.notify_all();
    }

    /// Has the caller end the run when it looks next; true for whoever is the first to say so.
    pub(crate) fn ask_to_end(&self) -> bool {
        !self.asked_to_end.swap(true, Ordering::SeqCst)
    }

    pub(crate) fn is_asked_to_end(&self) -> bool {
        self.asked_to_end.load(Ordering::SeqCst)
    }

    /// Rests for so long, or until the run is stopped.
    pub(crate) fn rest(&self, time: Duration) {
        let resting = self.resting.lock();
        if !self.stopped() {
            drop(self.stopping.wait_timeout(resting, &self.resting, time));
        }
    }

    /// Records what `span` makes, where the run is recorded.
    pub(crate) fn record(&self, span: impl FnOnce() -> Span) {
        if let Some(recorder) = &self.recorder {
            recorder.add(span());
        }
    }

    /// Counts an item of so many documents that failed; the reason to end, where they are more than may.
    pub(crate) fn counts_failed(
        &self,
        documents: u64,
        position: Position,
        stage: Stage,
        cause: &Cause,
    ) -> Option<Error> {
        let stopped = Error::Stopped { position, stage, cause: cause.clone() };
        let mut verdict = self.verdict.lock();
        if verdict.budget.exceeded_by(documents, self.books.seen()) {
            return Some(stopped);
        }
        let is_last = verdict.last.as_ref().is_none_or(|(last, _)| position >= *last);
        let before = if verdict.budget.looks_at_end() && is_last {
            verdict.last.replace((position, stopped))
        } else {
            Some((position, stopped))
        };
        // An error of the user's may be dropped with it.
        drop(verdict);
        drop(before);
        None
    }

    /// Why the run ends once everything that was cut is out. To be said before that can be seen.
    pub(crate) fn ends_for(&self, error: Error) {
        let before = self.verdict.lock().ending.replace(error);
        drop(before);
    }

    /// As `ends_for`, where nothing was said before.
    pub(crate) fn ends_for_unless_said(&self, error: Error) {
        let mut verdict = self.verdict.lock();
        let unsaid = if verdict.ending.is_none() { verdict.ending.replace(error) } else { Some(error) };
        drop(verdict);
        drop(unsaid);
    }

    /// Why the run ends when everything that was cut is out; `None` where it simply ends.
    pub(crate) fn take_ending(&self) -> Option<Error> {
        let mut verdict = self.verdict.lock();
        let (ending, last) = (verdict.ending.take(), verdict.last.take());
        let exceeded = verdict.budget.share_exceeded(self.books.seen());
        drop(verdict);
        ending.or_else(|| last.filter(|_| exceeded).map(|(_, error)| error))
    }

    /// Items that are prepared and that no device, or no caller where there is none, has taken.
    pub(crate) fn in_line(&self) -> u64 {
        let accounts = self.books.accounts();
        let out = accounts.delivered + accounts.failed;
        let taken =
            if self.facts.devices.is_empty() { out } else { self.meters.taken.load(Ordering::Relaxed) };
        let prepared = self.meters.prepared.load(Ordering::Relaxed);
        prepared.saturating_sub(taken).min(accounts.in_flight())
    }

    /// Names of the threads that were left behind inside user code.
    pub(crate) fn left_behind(&self) -> Vec<String> {
        self.left_behind.lock().clone()
    }

    pub(crate) fn leaves_behind(&self, threads: Vec<String>) {
        *self.left_behind.lock() = threads;
    }
}
