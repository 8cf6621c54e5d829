//! The schedule of one pipeline, moment by moment: what the engine does, without threads.
//!
//! Every part does what its thread does, and in a step all of them do what they can without time going by:
//! the feeder takes tokens and pulls, workers take the oldest unit (`then` first), the line cuts by position,
//! devices take batches from one channel, the caller takes results in order and gives tokens back. When
//! nothing can be done the clock goes on to the next moment at which something ends.
//!
//! # What happens at the same moment
//! Nearly always the order within a moment changes nothing: workers are alike, devices are alike, and queues
//! are in order. Three meetings are left to chance in the engine too, where threads wake at the same moment:
//! a device that ends just when a worker becomes free (its `then` may come one unit later), two devices
//! that end together (whose rows come first), and two cuts at once for several devices that hold more than one
//! batch. Here a device comes before a worker, and devices in the order of their numbers.

#[cfg(test)]
mod chance;
mod devices;
mod period;
mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use self::devices::Device;
use self::period::Past;
use self::work::{Busy, Rows, ThenUnit};
use super::rules::{Rules, Time};
use crate::schedule::cutter::Cutter;
use crate::schedule::tokens::Purse;

/// What a schedule came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) end: Time,
    pub(super) first_result: Time,
    pub(super) first_submit: Time,
    pub(super) last_collect: Time,
}

/// Where the feeder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feeder {
    /// Wants a token, for the next document or to find the end of the source.
    Hungry,
    /// Inside the source's `next` until then.
    Pulling(Time),
    Ended,
}

/// A batch on its way to a device.
#[derive(Clone, Copy, Debug)]
struct Batch {
    index: u64,
    items: u64,
    cost: Time,
}

pub(super) struct Schedule<'a> {
    rules: &'a Rules,
    now: Time,
    steps: u64,
    feeder: Feeder,
    purse: Purse,
    /// Items that were pulled, that stand in the queue of work or have left it, and that a worker has begun.
    pulled: u64,
    pushed: u64,
    begun: u64,
    then: VecDeque<ThenUnit>,
    /// Units that run, the next to end first.
    busy: VecDeque<Busy>,
    /// Items that were accepted by the line in order, and those beyond them.
    head: u64,
    beyond: BTreeSet<u64>,
    open: usize,
    cutter: Cutter,
    cut: u64,
    batches: VecDeque<Batch>,
    /// No batch will follow.
    closed: bool,
    devices: Vec<Device>,
    /// Batches whose rows are worked on.
    rows: VecDeque<Rows>,
    /// Results before their turn, with their items.
    ready: BTreeMap<u64, u64>,
    next_result: u64,
    caller_free: Time,
    past: Past,
    outcome: Outcome,
    #[cfg(test)]
    chance: chance::Chance,
}

/// Computes a schedule in at most so many steps; `None` where it takes more.
pub(super) fn schedule_within(rules: &Rules, steps: u64) -> Option<Outcome> {
    let mut schedule = Schedule::new(rules);
    while schedule.step() {
        if schedule.steps >= steps {
            return None;
        }
    }
    Some(schedule.end())
}

#[cfg(test)]
pub(super) use self::chance::{left_to_chance, schedule, without_skips};

impl<'a> Schedule<'a> {
    fn new(rules: &'a Rules) -> Self {
        Self {
            rules,
            now: 0,
            steps: 0,
            feeder: Feeder::Hungry,
            purse: Purse::new(rules.tokens),
            pulled: 0,
            pushed: 0,
            begun: 0,
            then: VecDeque::new(),
            busy: VecDeque::new(),
            head: 0,
            beyond: BTreeSet::new(),
            open: 0,
            cutter: rules.cutter(),
            cut: 0,
            batches: VecDeque::new(),
            closed: false,
            devices: vec![Device::default(); rules.devices],
            rows: VecDeque::new(),
            ready: BTreeMap::new(),
            next_result: 0,
            caller_free: 0,
            past: Past::default(),
            #[cfg(test)]
            chance: chance::Chance::default(),
            outcome: Outcome::default(),
        }
    }

    fn end(&self) -> Outcome {
        Outcome { end: self.now.max(self.caller_free), ..self.outcome }
    }

    /// Everybody does what can be done now, else time goes on; false at the end.
    fn step(&mut self) -> bool {
        self.steps += 1;
        let mut moved = self.end_work();
        moved |= self.run_devices();
        let handed = self.hand_over();
        moved |= handed | self.feed();
        moved |= self.begin_work();
        if handed {
            self.skip_periods();
        }
        moved || self.wait()
    }

    /// Lets time go on to the next end of anything; false where nothing will end.
    fn wait(&mut self) -> bool {
        let feeder = match self.feeder {
            Feeder::Pulling(until) => Some(until),
            Feeder::Hungry | Feeder::Ended => None,
        };
        let worker = self.busy.front().map(|busy| busy.until);
        let caller = self.ready.contains_key(&self.next_result).then_some(self.caller_free);
        let device = self.devices.iter().filter_map(Device::due).min();
        let next = [feeder, worker, caller, device].into_iter().flatten().min();
        self.now = next.unwrap_or(self.now).max(self.now);
        next.is_some()
    }

    fn feed(&mut self) -> bool {
        let mut moved = false;
        loop {
            match self.feeder {
                Feeder::Pulling(until) if until <= self.now => self.pushed += 1,
                Feeder::Hungry if self.purse.available() > 0 => {}
                _ => return moved,
            }
            moved = true;
            self.feeder = self.pull();
        }
    }

    /// The feeder finds the end of the source only with a token in hand.
    fn pull(&mut self) -> Feeder {
        let Some(token) = self.purse.take(1) else { return Feeder::Hungry };
        if self.pulled == self.rules.items {
            self.purse.give(token);
            self.end_line();
            return Feeder::Ended;
        }
        self.pulled += 1;
        let documents = self.rules.weight(self.pulled - 1);
        Feeder::Pulling(self.now + Time::from(documents) * self.rules.source)
    }

    /// The caller takes results in order; tokens come back when a batch is handed to it.
    fn hand_over(&mut self) -> bool {
        let mut moved = false;
        while self.caller_free <= self.now {
            let Some(items) = self.ready.remove(&self.next_result) else { break };
            if self.next_result == 0 {
                self.outcome.first_result = self.now;
            }
            self.next_result += 1;
            self.purse.give_back(items as usize, 0);
            self.caller_free = self.now + self.rules.caller;
            moved = true;
        }
        moved
    }
}
