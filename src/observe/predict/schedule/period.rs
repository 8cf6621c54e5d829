//! Skips periods: where everything stands as it stood before, only later, it will go on as it did.
//!
//! What a schedule does next follows from its state alone: what waits where, and how long until it ends. Two
//! equal states, seen from their own moments, are followed by the same events as long as the source does
//! not end. So whole periods between them are added at once, which is exact. Brent's search keeps one state
//! and compares each later one with it; after twice as many comparisons it keeps a later state.

use super::super::rules::Time;
use super::work::{ThenUnit, Unit};
use super::{Feeder, Schedule};

/// A state that was kept, and what has been compared with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    kept: Option<Kept>,
    /// A period was found and skipped: what is left is the end.
    pub(super) found: bool,
    compared: u64,
    patience: u64,
    state: Vec<Time>,
}

#[derive(Clone, Debug)]
struct Kept {
    state: Vec<Time>,
    now: Time,
    pulled: u64,
    cut: u64,
}

impl Schedule<'_> {
    /// Looks whether a state has come back, and adds as many periods as come before the end of the source.
    pub(super) fn skip_periods(&mut self) {
        if self.past.found
            || self.feeder == Feeder::Ended
            || self.pulled == self.rules.items
            || !self.beyond.is_empty()
        {
            return;
        }
        let mut state = std::mem::take(&mut self.past.state);
        self.describe(&mut state);
        let back = self.past.kept.as_ref().filter(|kept| kept.state == state);
        if let Some(kept) = back {
            let (items, time, batches) =
                (self.pulled - kept.pulled, self.now - kept.now, self.cut - kept.cut);
            // The source must not end within a period, so one item at least is left.
            let periods = (self.rules.items - self.pulled - 1).checked_div(items).unwrap_or(0);
            self.shift(periods * items, Time::from(periods) * time, periods * batches);
            self.past.found = true;
        } else if self.past.compared >= self.past.patience {
            let kept = Kept { state: state.clone(), now: self.now, pulled: self.pulled, cut: self.cut };
            self.past.kept = Some(kept);
            self.past.compared = 0;
            self.past.patience = (2 * self.past.patience).max(1);
        }
        self.past.compared += 1;
        self.past.state = state;
    }

    /// Everything that decides what comes next, seen from now and from the counts of now. Moments that
    /// have passed stay apart from others, since the difference wraps around.
    fn describe(&self, state: &mut Vec<Time>) {
        let ago = |moment: Time| moment.wrapping_sub(self.now);
        let before = |index: u64| Time::from(self.cut - index);
        state.clear();
        state.push(match self.feeder {
            Feeder::Pulling(until) => ago(until),
            Feeder::Hungry | Feeder::Ended => Time::MAX / 2,
        });
        let counts = [
            self.pulled - self.pushed,
            self.pushed - self.begun,
            self.pulled - self.head,
            self.cut - self.next_result,
        ];
        state.extend(counts.map(Time::from));
        state.extend([self.purse.available(), self.open, self.cutter.size()].map(|count| count as Time));
        state.push(self.caller_free.saturating_sub(self.now));
        state.push(self.then.len() as Time);
        let unit = |unit: &ThenUnit| [before(unit.batch), unit.rows.into()];
        state.extend(self.then.iter().flat_map(unit));
        state.push(self.busy.len() as Time);
        for busy in &self.busy {
            state.push(ago(busy.until));
            state.extend(match &busy.unit {
                Unit::Prepare { position } => [Time::MAX / 2, (self.pulled - position).into()],
                Unit::Then(rows) => unit(rows),
            });
        }
        state.push(self.batches.len() as Time);
        state.extend(self.batches.iter().map(|batch| Time::from(batch.items)));
        state.push(self.rows.len() as Time);
        state.extend(
            self.rows.iter().flat_map(|rows| [before(rows.batch), rows.items.into(), rows.missing.into()]),
        );
        state.push(self.ready.len() as Time);
        state.extend(self.ready.iter().flat_map(|(index, items)| [before(*index), (*items).into()]));
        self.describe_devices(state);
    }

    fn describe_devices(&self, state: &mut Vec<Time>) {
        let ago = |moment: Time| moment.wrapping_sub(self.now);
        for device in &self.devices {
            state.push(device.wait as Time);
            state.push(device.busy_until.saturating_sub(self.now));
            // Alone it is always first in the queue, and one deep it never looks in between.
            state.push(if self.devices.len() * self.rules.depth > 1 { ago(device.since) } else { 0 });
            state.push(if self.rules.depth > 1 { device.last_took } else { 0 });
            state.push(device.flights.len() as Time);
            for flight in &device.flights {
                let ages = [ago(flight.submitted), ago(flight.done)];
                state.extend([Time::from(self.cut - flight.index), flight.items.into(), ages[0], ages[1]]);
            }
        }
    }

    fn shift(&mut self, items: u64, time: Time, batches: u64) {
        self.now += time;
        self.caller_free += time;
        self.outcome.last_collect += time;
        if let Feeder::Pulling(until) = &mut self.feeder {
            *until += time;
        }
        for count in [&mut self.pulled, &mut self.pushed, &mut self.begun, &mut self.head] {
            *count += items;
        }
        self.cut += batches;
        self.next_result += batches;
        for busy in &mut self.busy {
            busy.until += time;
            match &mut busy.unit {
                Unit::Prepare { position } => *position += items,
                Unit::Then(unit) => unit.batch += batches,
            }
        }
        self.then.iter_mut().for_each(|unit| unit.batch += batches);
        self.batches.iter_mut().for_each(|batch| batch.index += batches);
        self.rows.iter_mut().for_each(|rows| rows.batch += batches);
        let ready = std::mem::take(&mut self.ready);
        self.ready = ready.into_iter().map(|(index, items)| (index + batches, items)).collect();
        for device in &mut self.devices {
            device.busy_until += time;
            device.since += time;
            for flight in &mut device.flights {
                flight.index += batches;
                flight.submitted += time;
                flight.done += time;
            }
        }
    }
}
