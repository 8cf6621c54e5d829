//! User code that behaves, so that a test writes down only what does not.

use std::sync::Arc;
use std::time::Duration;

use gapless::{Cause, StageError};

use super::face::Code;
use super::stages::{
    Cpu, CpuCode, Device, GpuCode, Out, Part, Prepared, Source, SourceCode, Ticket, Work, places,
};
use super::world::{Doc, Id, What, World};

/// The place of the first document that a stage was lent, and how many there are.
pub(crate) fn lent(work: &Work<'_>) -> (u64, u64) {
    let documents = match work {
        Work::One(document) => std::slice::from_ref(&**document),
        Work::Many(documents) => documents,
    };
    match documents.first().map(|document| document.id) {
        Some(Id::Source(first)) => (first, documents.len() as u64),
        other => panic!("a stage is lent documents of the source: {other:?}"),
    }
}

/// What such documents become.
pub(crate) fn prepared((first, rows): (u64, u64), world: &Arc<World>) -> Prepared {
    Prepared { first, rows, life: world.life(What::Prepared, false) }
}

struct Plain(Arc<World>);

impl CpuCode for Plain {
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, Cause> {
        Ok(prepared(lent(&work), &self.0))
    }
}

impl GpuCode for Plain {
    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError> {
        Ok(Ticket { places: places(batch), looks: 0, of: 0, _life: self.0.life(What::Ticket, false) })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, _: Duration) -> Result<Option<Out>, StageError> {
        Ok(Some(ticket.output(&self.0)))
    }
}

struct Counted {
    world: Arc<World>,
    documents: u64,
}

impl SourceCode for Counted {
    fn next(&mut self) -> Option<Doc> {
        (self.world.given() < self.documents).then(|| self.world.document(false))
    }
}

/// Code that prepares and runs so many documents, on one device.
pub(crate) fn code(world: &Arc<World>, documents: u64) -> Code {
    let row = world.clone();
    Code {
        world: world.clone(),
        cpu: cpu(world, Plain(world.clone())),
        devices: vec![device(world, Plain(world.clone()))],
        then: Box::new(move |_, from| Ok(Part { place: from.place, _life: row.life(What::Part, false) })),
        source: source(world, Counted { world: world.clone(), documents }),
        in_place: documents,
    }
}

pub(crate) fn cpu(world: &Arc<World>, code: impl CpuCode + 'static) -> Cpu {
    Cpu { code: Arc::new(code), _life: world.life(What::Cpu, false) }
}

pub(crate) fn device(world: &Arc<World>, code: impl GpuCode + 'static) -> Device {
    Device { code: Box::new(code), _life: world.life(What::Device, false) }
}

/// A device that behaves.
pub(crate) fn behaved(world: &Arc<World>) -> Device {
    device(world, Plain(world.clone()))
}

pub(crate) fn source(world: &Arc<World>, code: impl SourceCode + 'static) -> Source {
    Source { code: Box::new(code), _life: world.life(What::Source, false) }
}
