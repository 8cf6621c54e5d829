//! Workers and the line.

use super::super::rules::Time;
use super::{Batch, Schedule};
use crate::schedule::turns::{self, Turn, rows_in_unit};

/// A unit that a worker runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Busy {
    pub(super) until: Time,
    pub(super) unit: Unit,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Unit {
    Prepare { position: u64 },
    Then(ThenUnit),
}

/// Neighbouring rows of a batch, worked on in one go.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThenUnit {
    pub(super) batch: u64,
    pub(super) rows: u64,
}

/// A batch whose rows are worked on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows {
    pub(super) batch: u64,
    pub(super) items: u64,
    pub(super) missing: u64,
}

impl Schedule<'_> {
    pub(super) fn end_work(&mut self) -> bool {
        let mut moved = false;
        while self.busy.front().is_some_and(|busy| busy.until <= self.now) {
            let Some(Busy { unit, .. }) = self.busy.pop_front() else { break };
            moved = true;
            #[cfg(test)]
            self.worker_ended();
            match unit {
                Unit::Prepare { position } => self.put(position),
                Unit::Then(unit) => self.end_rows(unit),
            }
        }
        moved
    }

    /// Idle workers take the oldest units, `then` first.
    pub(super) fn begin_work(&mut self) -> bool {
        let mut moved = false;
        while self.busy.len() < self.rules.workers {
            let Some((unit, cost)) = self.next_unit() else { break };
            let until = self.now + cost;
            let behind = self.busy.iter().rev().take_while(|busy| busy.until > until).count();
            self.busy.insert(self.busy.len() - behind, Busy { until, unit });
            moved = true;
        }
        moved
    }

    /// The unit whose turn it is, and what it costs.
    fn next_unit(&mut self) -> Option<(Unit, Time)> {
        match turns::next(!self.then.is_empty(), self.begun < self.pushed)? {
            Turn::Then => {
                let unit = self.then.pop_front()?;
                Some((Unit::Then(unit), Time::from(unit.rows) * self.rules.then.unwrap_or(0)))
            }
            Turn::Prepare => {
                let position = self.begun;
                self.begun += 1;
                let documents = self.rules.weight(position);
                Some((Unit::Prepare { position }, Time::from(documents) * self.rules.cpu))
            }
        }
    }

    /// Puts a prepared item into the line. Only the last item can be there before others: it may be smaller.
    fn put(&mut self, position: u64) {
        self.beyond.insert(position);
        while self.beyond.remove(&self.head) {
            self.head += 1;
            self.open += 1;
            if self.cutter.is_full(self.open, self.open) {
                self.cut();
            }
        }
        self.finish();
    }

    /// The source has ended.
    pub(super) fn end_line(&mut self) {
        self.closed = true;
        self.finish();
    }

    fn finish(&mut self) {
        if self.closed && self.head == self.rules.items && self.open > 0 {
            self.cut();
        }
    }

    /// Whether the devices know that no batch will follow.
    pub(super) fn released(&self) -> bool {
        self.closed && self.head == self.rules.items
    }

    fn cut(&mut self) {
        let good = std::mem::take(&mut self.open);
        let items = good as u64;
        let cost = self.rules.gpu(self.rules.documents_in(items, self.head));
        self.batches.push_back(Batch { index: self.cut, items, cost });
        self.cut += 1;
        self.cutter.was_cut(good);
    }

    /// Rows go into the queue of work in units of a quarter of a worker's share, as the engine puts them.
    pub(super) fn start_rows(&mut self, batch: u64, items: u64) {
        self.rows.push_back(Rows { batch, items, missing: items });
        let most = rows_in_unit(items as usize, self.rules.workers) as u64;
        let mut left = items;
        while left > 0 {
            let rows = most.min(left);
            self.then.push_back(ThenUnit { batch, rows });
            left -= rows;
        }
    }

    fn end_rows(&mut self, unit: ThenUnit) {
        let Some(place) = self.rows.iter().position(|rows| rows.batch == unit.batch) else { return };
        self.rows[place].missing -= unit.rows;
        if self.rows[place].missing == 0
            && let Some(rows) = self.rows.remove(place)
        {
            self.ready.insert(rows.batch, rows.items);
        }
    }
}
