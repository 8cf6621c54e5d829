//! Recovery from a lost device: it is rebuilt, and what it owed is submitted again in order.
//!
//! Nothing that a lost device still owed is trusted, not even what it had finished: every ticket is
//! dropped, and the inputs that were kept go to the new device. Which batch is to blame is decided by
//! `blame`. The end is bounded: a device that is lost again and again without an answer is given up, and what
//! it owed goes to the others.

use std::sync::atomic::Ordering;

use super::{BatchOf, DeviceLoop, Flight};
use crate::engine::guard::{drop_user, guard};
use crate::engine::road::batch::Done;
use crate::engine::road::blame::{Verdict, most_in_a_row};
use crate::engine::road::job::Job;
use crate::engine::watch::Doing;
use crate::error::stalled::At;
use crate::error::{Cause, Error};
use crate::place::in_order;
use crate::stage::{GpuStage, StageError};

impl<J: Job> DeviceLoop<J> {
    /// The device is gone, and with it the results of `batch` and of all that is in flight.
    pub(super) fn lose(&mut self, batch: BatchOf<J>, cause: Cause) {
        let mut owed = vec![batch];
        for Flight { batch, ticket, .. } in std::mem::take(&mut self.at.in_flight) {
            drop_user(ticket);
            owed.push(batch);
        }
        self.end_busy();
        self.at.largest = owed.iter().map(|batch| batch.items.prepared.len()).fold(self.at.largest, Ord::max);
        let rebuilt = self.rebuild(cause.clone());
        let alone = owed.len() == 1;
        let again = |mut batch: BatchOf<J>| (batch.suspicion.lost(alone, batch.items.prepared.len()), batch);
        let judged: Vec<_> = owed.into_iter().map(again).collect();
        match rebuilt {
            Ok(()) => judged.into_iter().for_each(|(verdict, batch)| self.carry_out(verdict, batch, &cause)),
            Err(cause) => self.give_up(judged.into_iter().map(|(_, batch)| batch), cause),
        }
        // Of two that are in flight the older may be a part that was submitted later.
        self.at.parts = in_order(std::mem::take(&mut self.at.parts), BatchOf::<J>::place).into();
    }

    fn carry_out(&mut self, verdict: Verdict, mut batch: BatchOf<J>, cause: &Cause) {
        match verdict {
            Verdict::Again => self.at.parts.push_front(batch),
            Verdict::Narrow => self.narrow(batch),
            Verdict::Guilty => {
                let cause = cause.clone().context("the device is lost whenever this is on it");
                self.fail_item(&mut batch, 0, cause);
                let now = self.ledger().now();
                self.finish(batch, None, now);
            }
        }
    }

    /// Rebuilds the device, and again where the new one is lost too; an error where it is given up.
    fn rebuild(&mut self, mut cause: Cause) -> Result<(), Cause> {
        let start = self.ledger().now();
        let rebuilt = loop {
            self.at.meter.losses.fetch_add(1, Ordering::Relaxed);
            self.ledger().spans.lost(&self.at.meter.info.name, &cause);
            self.at.fruitless += 1;
            if self.ledger().stopped() {
                break Ok(());
            }
            if self.at.fruitless > most_in_a_row(self.at.largest) {
                let times = self.at.fruitless;
                break Err(cause.context(format!("lost {times} times in a row without a result between")));
            }
            self.post.now(&self.ledger().seam, Doing::At(At::Rebuild));
            let reopened =
                guard(|| self.at.gpu.reopen()).unwrap_or_else(|panic| Err(StageError::Batch(panic)));
            match reopened {
                Ok(()) => break Ok(()),
                Err(StageError::Lost(again)) => cause = again,
                Err(StageError::Batch(why) | StageError::TooLarge(why)) => {
                    break Err(cause.context(format!("it could not be rebuilt ({why})")));
                }
            }
        };
        let now = self.ledger().now();
        self.at.meter.rebuilding.add(now.since(start));
        self.was_rebuilt(start, now);
        if rebuilt.is_ok() {
            self.ledger().spans.rebuilt(&self.at.meter.info.name, now.since(start));
        }
        // The device had no batch while it was rebuilt, but it did not wait for one.
        self.at.idle_since = self.at.idle_since.map(|_| now);
        rebuilt
    }

    /// What the device owes goes to the others; where there are none the run ends at the oldest batch of it.
    fn give_up(&mut self, owed: impl IntoIterator<Item = BatchOf<J>>, cause: Cause) {
        self.at.given_up = true;
        let owed = std::mem::take(&mut self.at.parts).into_iter().chain(owed).collect();
        let rank = self.at.meter.rank;
        let Some(owed) = self.road.with_line(|line| line.give_up(rank, owed)) else { return };
        self.at.parts = owed.into();
        let Some((index, part)) = self.at.parts.front().map(|batch| (batch.index, batch.part)) else {
            return;
        };
        let device = self.at.meter.info.name.clone();
        let error = Error::DeviceLost { device, batch: index, cause };
        self.road.send(Done { index, part, delivery: Err(error), then_stop: None, on_their_way: Vec::new() });
    }
}
