//! How the caller comes to its next message: by waiting for the threads, or by doing their work.
//!
//! Where it waits it looks up as often as its limits ask for, and gives the pool that it is in its turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::caller::Caller;
use super::yielding;
use crate::engine::road::batch::Message;
use crate::engine::road::device::{DeviceLoop, Stepped, Waiting};
use crate::engine::road::feed::{Fed, Feeder};
use crate::engine::road::job::Job;
use crate::engine::road::shared::{MessageOf, Road};
use crate::engine::road::{futures, work};
use crate::engine::seam::{Disconnected, SLICE};
use crate::error::{Cause, Error};
use crate::observe::record::{Kind, Span};

/// Batches whose rows may be worked on while the next is on the device, where the caller runs the device.
const THEN_AHEAD: usize = 2;

/// What the caller does itself, where there are no threads for it.
pub(crate) struct Hands<J: Job> {
    /// With the feeder the work of the workers too.
    pub(crate) feeder: Option<Feeder<J>>,
    pub(crate) device: Option<Box<DeviceLoop<J>>>,
    /// Futures that were woken and not yet polled.
    pub(crate) woken: VecDeque<usize>,
}

/// What there was to do.
enum Did {
    Something,
    /// Others have to do something first.
    Waits,
    /// Nothing, and nothing will come.
    Nothing,
}

impl<J: Job> Hands<J> {
    /// Threads do everything.
    pub(crate) fn none() -> Self {
        Self { feeder: None, device: None, woken: VecDeque::new() }
    }

    pub(super) fn are_empty(&self) -> bool {
        self.feeder.is_none() && self.device.is_none()
    }

    /// Ends what the caller would have done.
    pub(super) fn close(self) {
        self.feeder.into_iter().for_each(Feeder::close);
        self.device.into_iter().for_each(|device| device.close());
    }

    /// Where the caller feeds the run itself and nothing is on its way: looks whether the source has ended, which
    /// nobody else could have done in time. True where it has.
    fn ask_for_the_end(&mut self, road: &Road<J>) -> bool {
        let all_out = road.ledger.books.accounts().in_flight() == 0;
        let feeder = self.feeder.as_mut().filter(|_| all_out);
        feeder.is_some_and(|feeder| feeder.step(false) == Fed::Ended)
    }

    fn work(&mut self, road: &Arc<Road<J>>) -> Did {
        if self.feeder.is_none() {
            return self.run_device(road);
        }
        // The oldest document first.
        if futures::run_inline(road, &mut self.woken, Duration::ZERO)
            || work::run_inline(road)
            || self.step_device(Waiting::Never) == Stepped::Something
        {
            return Did::Something;
        }
        let fed = self.feeder.as_mut().map_or(Fed::Ended, |feeder| feeder.step(false));
        // A source that ended may have left documents in the queue.
        if fed == Fed::Documents || work::run_inline(road) {
            return Did::Something;
        }
        if road.later.len() > 0 && self.device.as_ref().is_none_or(|device| device.idles()) {
            futures::run_inline(road, &mut self.woken, SLICE);
            return Did::Something;
        }
        match self.step_device(Waiting::Device) {
            Stepped::Something => Did::Something,
            Stepped::Nothing
                if fed == Fed::Ended && self.device.as_ref().is_some_and(|device| device.idles()) =>
            {
                Did::Nothing
            }
            Stepped::Nothing => Did::Something,
            Stepped::Ended => Did::Nothing,
        }
    }

    /// Threads prepare, and the caller runs the device.
    fn run_device(&mut self, road: &Arc<Road<J>>) -> Did {
        if road.in_then.lock().len() >= THEN_AHEAD {
            return Did::Waits;
        }
        match self.step_device(Waiting::Device) {
            Stepped::Something => Did::Something,
            Stepped::Nothing if self.device.as_ref().is_some_and(|device| device.idles()) => Did::Waits,
            Stepped::Nothing => Did::Something,
            Stepped::Ended => Did::Waits,
        }
    }

    fn step_device(&mut self, waiting: Waiting) -> Stepped {
        let stepped = self.device.as_mut().map_or(Stepped::Ended, |device| device.step(waiting));
        if stepped == Stepped::Ended {
            self.device.take().into_iter().for_each(|device| device.close());
        }
        stepped
    }
}

impl<J: Job> Caller<J> {
    /// The next message of the run.
    pub(super) fn message(&mut self) -> Result<MessageOf<J>, Error> {
        if self.hands.are_empty() {
            return self.wait();
        }
        loop {
            if let Some(message) = self.message_there()? {
                return Ok(message);
            }
            match self.hands.work(&self.road) {
                Did::Something => {}
                Did::Waits => return self.wait(),
                Did::Nothing => return self.message_there()?.ok_or_else(ended_early),
            }
        }
    }

    /// A message that is there, unless the run has to end.
    pub(super) fn message_there(&mut self) -> Result<Option<MessageOf<J>>, Error> {
        if self.ledger().is_asked_to_end() {
            return Ok(Some(Message::Stopped));
        }
        self.look()?;
        match self.heard.pop_front() {
            Some(message) => Ok(Some(message)),
            None => self.results.try_recv().map_err(|Disconnected| ended_early()),
        }
    }

    /// Looks whether the run has to end.
    pub(super) fn look(&mut self) -> Result<(), Error> {
        let Self { checks, road, turn, results, heard, hands, .. } = self;
        checks.look(&road.ledger, |deadline| {
            let asked = hands.ask_for_the_end(road);
            // What is there has not come late because it was not asked for.
            while let Ok(Some(message)) = results.try_recv() {
                heard.push_back(message);
            }
            let last = road.ledger.last_result.get();
            turn.has_all(heard) && (asked || last.is_none_or(|last| last <= deadline))
        })
    }

    /// Waits for a message of the threads.
    fn wait(&mut self) -> Result<MessageOf<J>, Error> {
        let ready = self.message_there()?;
        let road = self.road.clone();
        let meters = &road.ledger.meters;
        meters.caller_was_late.store(ready.is_some(), Ordering::Relaxed);
        if let Some(message) = ready {
            return Ok(message);
        }
        let start = road.ledger.now();
        meters.caller_asked.set_first(start);
        meters.caller_waits.set(start);
        let message = self.wait_within_limits();
        let end = road.ledger.now();
        meters.caller_waits.clear();
        meters.caller_waited.add(end.since(start));
        road.ledger.record(|| Span::new(Kind::WaitForResult, start, end));
        message
    }

    fn wait_within_limits(&mut self) -> Result<MessageOf<J>, Error> {
        loop {
            let Some(patience) = self.checks.patience(&self.road.ledger) else {
                return yielding::recv(&self.results).map_err(from_wait);
            };
            if let Some(message) = yielding::recv_timeout(&self.results, patience).map_err(from_wait)? {
                return Ok(message);
            }
            if let Some(message) = self.message_there()? {
                return Ok(message);
            }
        }
    }
}

fn from_wait(failed: yielding::Failed) -> Error {
    match failed {
        yielding::Failed::Disconnected => ended_early(),
        yielding::Failed::Nested { depth } => Error::Nested { depth },
    }
}

fn ended_early() -> Error {
    Error::Bug { cause: Cause::msg("the threads of the run ended before its batches did") }
}
