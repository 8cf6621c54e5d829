//! A device that misbehaves as its plan says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gapless::{Cause, StageError};

use crate::cpu::{happen, happen_in_device};
use crate::kit::face::Kind;
use crate::kit::stages::{GpuCode, Out, Prepared, Row, Says, Ticket, places};
use crate::kit::world::{What, World, panic_quietly};
use crate::plan::{Fault, Plan, Rebuild};
use crate::random::Random;

pub(crate) struct Fragile {
    pub(crate) plan: Arc<Plan>,
    pub(crate) world: Arc<World>,
    pub(crate) random: Random,
    pub(crate) in_flight: usize,
    /// Times that it was made again.
    pub(crate) life: usize,
    /// Losses since it last gave something, or failed in another way.
    pub(crate) in_a_row: u32,
    /// Devices that will not come back.
    pub(crate) dead: Arc<AtomicUsize>,
    pub(crate) counted: bool,
}

/// A device may be given up after so many losses in a row.
const MANY: u32 = 8;

impl Fragile {
    fn unplugged(&mut self) -> StageError {
        self.in_a_row += 1;
        if self.in_a_row >= MANY {
            self.dies();
        }
        StageError::Lost(Cause::msg("planted: unplugged"))
    }

    /// Looks that find nothing: now and then many, which takes its time.
    fn looks(&mut self) -> u64 {
        let most = if self.random.once_in(30) { self.plan.looks } else { self.plan.looks.min(2) };
        self.random.below(most)
    }

    fn dies(&mut self) {
        if !std::mem::replace(&mut self.counted, true) {
            self.dead.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn fault(&mut self, items: usize, may_be_too_large: bool) -> Result<(), StageError> {
        if items > self.plan.fits && may_be_too_large {
            return Err(StageError::TooLarge(Cause::msg("planted: no room")));
        }
        if self.random.once_in(self.plan.rates.lost) {
            return Err(self.unplugged());
        }
        if self.random.once_in(self.plan.rates.device) {
            self.in_a_row = 0;
            let fault = self.random.choose(&[Fault::Err, Fault::Unshowable, Fault::Panic]);
            let id = self.random.next();
            happen_in_device(fault, &self.plan, &self.world, id)?;
        }
        Ok(())
    }

    /// The output, with what is wrong with it.
    fn output(&mut self, ticket: &Ticket) -> Out {
        let mut out = ticket.output(&self.world);
        out._life = self.world.life(What::Output, self.random.once_in(self.plan.bombs.output));
        if self.random.once_in(self.plan.rates.rows) {
            match self.random.below(3) {
                0 => drop(out.rows.pop()),
                1 => out.rows.push(Row { place: 0, _life: self.world.life(What::Row, false) }),
                _ => out.says = Says::Panic,
            }
        }
        out
    }
}

impl GpuCode for Fragile {
    fn depth(&self) -> usize {
        self.plan.depth
    }

    fn accepts(&self, item: &Prepared) -> Result<(), Cause> {
        match self.plan.fault(7, item.first, self.plan.rates.odd) {
            Some(fault) => happen(fault, &self.plan, &self.world, item.first),
            None => Ok(()),
        }
    }

    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError> {
        if batch.is_empty() || batch.len() > self.plan.batch_size {
            self.world.wrong(format_args!("a batch of {} items was submitted", batch.len()));
        }
        if self.in_flight >= self.plan.depth {
            self.world.wrong("more batches than the depth are in flight");
        }
        let too_large = self.random.once_in(2);
        self.fault(batch.len(), too_large)?;
        self.in_flight += 1;
        let bomb = self.random.once_in(self.plan.bombs.ticket);
        Ok(Ticket {
            places: places(batch),
            looks: self.looks(),
            of: self.life,
            _life: self.world.life(What::Ticket, bomb),
        })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, _: Duration) -> Result<Option<Out>, StageError> {
        if ticket.of != self.life {
            self.world.wrong("a device was asked for what a lost one owed");
        }
        if ticket.looks > 0 {
            ticket.looks -= 1;
            return Ok(None);
        }
        self.in_flight -= 1;
        // With `per_batch` a batch is one item, however many documents it has.
        let items = if self.plan.kind == Kind::Batches { 1 } else { ticket.places.len() };
        self.fault(items, true)?;
        if ticket.places.iter().any(|place| self.plan.loses_device(*place)) {
            return Err(self.unplugged());
        }
        self.in_a_row = 0;
        Ok(Some(self.output(ticket)))
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        self.in_flight = 0;
        self.life += 1;
        let thrown_away = |this: &mut Self| {
            this.dies();
            let fault = this.random.choose(&[Fault::Err, Fault::Unshowable]);
            happen_in_device(fault, &this.plan, &this.world, 0)
        };
        match self.plan.rebuild {
            Rebuild::Always => Ok(()),
            Rebuild::Never => thrown_away(self),
            Rebuild::Perhaps => match self.random.below(8) {
                0 => thrown_away(self),
                1 => {
                    self.dies();
                    panic_quietly("reopen")
                }
                2..5 => Err(self.unplugged()),
                _ => Ok(()),
            },
        }
    }
}
