//! The source and the two stages of a run, with their faults, and values that count whether they are alive.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use gapless::{Auto, Cause, CpuStage, GpuStage, LastBatch, Pipeline, Run, StageError};

use crate::plan::{Fault, Plan, Random, Rebuild};

/// A panic that prints nothing, since it is planted.
pub(crate) fn panic_quietly() -> ! {
    resume_unwind(Box::new("planted"))
}

/// Values of one run that are alive.
#[derive(Clone, Default)]
pub(crate) struct Alive(Arc<AtomicI64>);

/// Counts as alive until it is dropped.
pub(crate) struct Life(Alive);

impl Alive {
    pub(crate) fn life(&self) -> Life {
        self.0.fetch_add(1, Ordering::SeqCst);
        Life(self.clone())
    }
}

impl std::ops::Deref for Alive {
    type Target = AtomicI64;

    fn deref(&self) -> &AtomicI64 {
        &self.0
    }
}

impl Clone for Life {
    fn clone(&self) -> Self {
        self.0.life()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(crate) struct Document {
    pub(crate) id: u64,
    pub(crate) _life: Life,
}

#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) value: u64,
    pub(crate) _life: Life,
}

pub(crate) struct Row {
    pub(crate) value: u64,
    pub(crate) _life: Life,
}

pub(crate) fn prepared_value(id: u64) -> u64 {
    id * 3
}

fn id_of(value: u64) -> u64 {
    value / 3
}

pub(crate) struct Cpu {
    pub(crate) plan: Arc<Plan>,
    pub(crate) alive: Alive,
}

impl CpuStage<Document> for Cpu {
    type Prepared = Prepared;

    fn prepare(&self, document: &mut Document) -> Result<Prepared, Cause> {
        if let Some(fault) = self.plan.prepare_fault(document.id) {
            return fault.happen();
        }
        Ok(Prepared { value: prepared_value(document.id), _life: self.alive.life() })
    }

    fn recycle(&self, used: Prepared) {
        if self.plan.fault(3, used.value, self.plan.rates.recycle).is_some() {
            panic_quietly();
        }
    }
}

pub(crate) struct Device {
    pub(crate) plan: Arc<Plan>,
    pub(crate) alive: Alive,
    pub(crate) random: Random,
    pub(crate) in_flight: usize,
    /// Times that it was made again.
    pub(crate) life: usize,
}

pub(crate) struct Ticket {
    pub(crate) values: Vec<u64>,
    /// Looks that find nothing yet.
    pub(crate) looks: u64,
    /// The device that owes it.
    pub(crate) of: usize,
    pub(crate) _life: Life,
}

impl Device {
    pub(crate) fn fault(&mut self, items: usize, may_be_too_large: bool) -> Result<(), StageError> {
        if items > self.plan.fits && may_be_too_large {
            return Err(StageError::TooLarge(Cause::msg("planted: no room")));
        }
        if self.random.once_in(self.plan.rates.lost) {
            return Err(unplugged());
        }
        if self.random.once_in(self.plan.rates.device) {
            let fault = self.random.choose(&[Fault::Err, Fault::Panic]);
            fault.happen::<()>()?;
        }
        Ok(())
    }
}

fn unplugged() -> StageError {
    StageError::Lost(Cause::msg("planted: unplugged"))
}

impl GpuStage<Prepared> for Device {
    type Output = Vec<Row>;
    type Ticket = Ticket;

    fn depth(&self) -> usize {
        self.plan.depth
    }

    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError> {
        assert!(!batch.is_empty() && batch.len() <= self.plan.batch_size, "1 item to a batch");
        assert!(self.in_flight < self.plan.depth, "at most `depth` batches");
        let too_large = self.random.once_in(2);
        self.fault(batch.len(), too_large)?;
        self.in_flight += 1;
        let values = batch.iter().map(|prepared| prepared.value).collect();
        Ok(Ticket { values, looks: self.random.below(4), of: self.life, _life: self.alive.life() })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, _: Duration) -> Result<Option<Vec<Row>>, StageError> {
        assert_eq!(ticket.of, self.life, "nobody asks for what a lost device owed");
        if ticket.looks > 0 {
            ticket.looks -= 1;
            return Ok(None);
        }
        self.in_flight -= 1;
        self.fault(ticket.values.len(), true)?;
        if ticket.values.iter().any(|value| self.plan.loses_device(id_of(*value))) {
            return Err(unplugged());
        }
        let rows = ticket.values.iter().map(|value| Row { value: value + 1, _life: self.alive.life() });
        Ok(Some(rows.collect()))
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        self.in_flight = 0;
        self.life += 1;
        match self.plan.rebuild {
            Rebuild::Always => Ok(()),
            Rebuild::Never => Err(StageError::Batch(Cause::msg("planted: thrown away"))),
            Rebuild::Perhaps => match self.random.below(8) {
                0 => Err(StageError::Batch(Cause::msg("planted: thrown away"))),
                1 => panic_quietly(),
                2..5 => Err(unplugged()),
                _ => Ok(()),
            },
        }
    }
}

/// The source, and how much was taken from it.
pub(crate) fn source(
    plan: &Plan,
    alive: &Alive,
    taken: &Arc<AtomicU64>,
) -> impl Iterator<Item = Document> + Send + 'static {
    let (alive, taken, panics_at) = (alive.clone(), taken.clone(), plan.source_panics_at);
    (0..=plan.documents).map_while({
        let documents = plan.documents;
        move |id| {
            if panics_at == Some(id) {
                panic_quietly();
            }
            (id < documents).then(|| {
                taken.fetch_add(1, Ordering::SeqCst);
                Document { id, _life: alive.life() }
            })
        }
    })
}

pub(crate) fn start(plan: &Arc<Plan>, alive: &Alive, taken: &Arc<AtomicU64>) -> Run<Document, Vec<Row>> {
    let device = |rank: usize| Device {
        plan: plan.clone(),
        alive: alive.clone(),
        random: Random(plan.seed ^ (rank as u64) << 32),
        in_flight: 0,
        life: 0,
    };
    let cpu = Cpu { plan: plan.clone(), alive: alive.clone() };
    let last = match plan.last {
        0 => LastBatch::Short,
        1 => LastBatch::Drop,
        _ => LastBatch::Pad(Clone::clone as fn(&Prepared) -> Prepared),
    };
    let mut pipeline = Pipeline::on_devices(cpu, (0..plan.devices).map(device).collect())
        .batch_size(plan.batch_size)
        .ahead(plan.ahead)
        .workers(plan.workers)
        .ramp(plan.ramp)
        .order(plan.order)
        .last_batch(last)
        .on_failure(plan.policy);
    if plan.chosen {
        pipeline = pipeline.batch_size(Auto.up_to(plan.batch_size)).ahead(Auto).ramp(Auto);
    }
    if plan.max_wait {
        pipeline = pipeline.max_wait(Duration::from_micros(100));
    }
    let source = source(plan, alive, taken);
    let (then_plan, then_alive) = (plan.clone(), alive.clone());
    let then = move |document: &mut Document, row: &Row| match then_plan.then_fault(document.id) {
        Some(fault) => fault.happen(),
        None => Ok(Row { value: row.value + 1, _life: then_alive.life() }),
    };
    match (plan.then, plan.sequential) {
        (false, false) => pipeline.run(source),
        (false, true) => pipeline.run_sequential(source),
        (true, false) => pipeline.then(then).run(source),
        (true, true) => pipeline.then(then).run_sequential(source),
    }
}
