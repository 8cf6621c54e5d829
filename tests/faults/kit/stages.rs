//! The one type of source, CPU stage, device and `then` of all runs: their code is given when a run starts.

use std::sync::Arc;
use std::time::Duration;

use gapless::{Cause, CpuStage, GpuStage, Output, Rows, StageError};

use super::world::{Doc, Life, UserCode, What, World};

/// What a CPU stage is lent.
pub(crate) enum Work<'a> {
    One(&'a mut Doc),
    Many(&'a mut Vec<Doc>),
}

impl<'a> Work<'a> {
    fn of_bag(bag: &'a mut Bag) -> Self {
        Self::Many(&mut bag.0)
    }
}

pub(crate) trait CpuCode: Send + Sync {
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, Cause>;

    fn recycle(&self, used: Prepared) {
        drop(used);
    }

    fn interrupt(&self) {}

    /// Asked whenever a program reads what the document at this place became; false where it cannot take it.
    fn is_read(&self, _place: u64) -> bool {
        true
    }
}

/// The CPU stage.
pub(crate) struct Cpu {
    pub(crate) code: Arc<dyn CpuCode>,
    pub(crate) _life: Life,
}

/// A collection of the user's own.
pub(crate) struct Bag(pub(crate) Vec<Doc>);

impl FromIterator<Doc> for Bag {
    fn from_iter<I: IntoIterator<Item = Doc>>(documents: I) -> Self {
        let mut documents = Vec::from_iter(documents);
        let world = documents.first().map(|document| document.world().clone());
        if let Some(gathered) = world.as_ref().and_then(|world| world.gathered.get()) {
            let _user = UserCode::enter();
            gathered(&mut documents);
        }
        Self(documents)
    }
}

impl IntoIterator for Bag {
    type Item = Doc;
    type IntoIter = std::vec::IntoIter<Doc>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// What documents become; of one document, or of a batch.
pub(crate) struct Prepared {
    /// Place of the first document.
    pub(crate) first: u64,
    /// Documents that there were.
    pub(crate) rows: u64,
    pub(crate) life: Life,
}

impl Cpu {
    pub(super) fn run(&self, work: Work<'_>) -> Result<Prepared, Cause> {
        let _user = UserCode::enter();
        self.code.prepare(work)
    }

    pub(super) fn reuse(&self, used: Prepared) {
        let _user = UserCode::enter();
        self.code.recycle(used);
    }

    pub(super) fn give_up(&self) {
        let _user = UserCode::enter();
        self.code.interrupt();
    }
}

macro_rules! cpu_stage {
    ($document:ty, $work:expr) => {
        impl CpuStage<$document> for Cpu {
            type Prepared = Prepared;

            fn prepare(&self, document: &mut $document) -> Result<Prepared, Cause> {
                self.run($work(document))
            }

            fn recycle(&self, used: Prepared) {
                self.reuse(used);
            }

            fn interrupt(&self) {
                self.give_up();
            }
        }
    };
}

cpu_stage!(Doc, Work::One);
cpu_stage!(Vec<Doc>, Work::Many);
cpu_stage!(Bag, Work::of_bag);

pub(crate) struct Row {
    /// Place of its document.
    pub(crate) place: u64,
    pub(crate) _life: Life,
}

/// How an output answers when it is asked for its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Truth,
    Panic,
}

pub(crate) struct Out {
    pub(crate) rows: Vec<Row>,
    pub(crate) says: Says,
    pub(crate) _life: Life,
}

impl Output for Out {
    fn rows(&self) -> Option<usize> {
        if self.says == Says::Panic {
            super::world::panic_quietly("rows");
        }
        Some(self.rows.len())
    }
}

impl Rows for Out {
    type Row<'a> = &'a Row;

    fn row(&self, index: usize) -> &Row {
        &self.rows[index]
    }
}

/// A batch on its way through the device.
pub(crate) struct Ticket {
    /// Places of the documents, copies among them.
    pub(crate) places: Vec<u64>,
    /// Looks that find nothing yet.
    pub(crate) looks: u64,
    /// The device that owes it.
    pub(crate) of: usize,
    pub(crate) _life: Life,
}

impl Ticket {
    /// The output that is owed.
    pub(crate) fn output(&self, world: &Arc<World>) -> Out {
        let row = |place: &u64| Row { place: *place, _life: world.life(What::Row, false) };
        let rows = self.places.iter().map(row).collect();
        Out { rows, says: Says::Truth, _life: world.life(What::Output, false) }
    }
}

/// Places of the documents of a batch.
pub(crate) fn places(batch: &[Prepared]) -> Vec<u64> {
    batch.iter().flat_map(|prepared| prepared.first..prepared.first + prepared.rows).collect()
}

pub(crate) trait GpuCode: Send {
    fn depth(&self) -> usize {
        1
    }

    fn accepts(&self, _item: &Prepared) -> Result<(), Cause> {
        Ok(())
    }

    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError>;

    fn try_collect(&mut self, ticket: &mut Ticket, wait: Duration) -> Result<Option<Out>, StageError>;

    fn reopen(&mut self) -> Result<(), StageError> {
        Err(StageError::Batch(Cause::msg("planted: thrown away")))
    }
}

/// The device.
pub(crate) struct Device {
    pub(crate) code: Box<dyn GpuCode>,
    pub(crate) _life: Life,
}

impl GpuStage<Prepared> for Device {
    type Output = Out;
    type Ticket = Ticket;

    fn depth(&self) -> usize {
        self.code.depth()
    }

    fn accepts(&self, item: &Prepared) -> Result<(), Cause> {
        let _user = UserCode::enter();
        self.code.accepts(item)
    }

    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError> {
        let _user = UserCode::enter();
        self.code.submit(batch)
    }

    fn try_collect(&mut self, ticket: &mut Ticket, wait: Duration) -> Result<Option<Out>, StageError> {
        let _user = UserCode::enter();
        self.code.try_collect(ticket, wait)
    }

    fn reopen(&mut self) -> Result<(), StageError> {
        let _user = UserCode::enter();
        self.code.reopen()
    }
}

pub(crate) trait SourceCode: Send {
    fn next(&mut self) -> Option<Doc>;

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, None)
    }
}

/// The source.
pub(crate) struct Source {
    pub(crate) code: Box<dyn SourceCode>,
    pub(crate) _life: Life,
}

impl Iterator for Source {
    type Item = Doc;

    fn next(&mut self) -> Option<Doc> {
        let _user = UserCode::enter();
        self.code.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let _user = UserCode::enter();
        self.code.size_hint()
    }
}

/// What `then` makes of a document and its row.
pub(crate) struct Part {
    pub(crate) place: u64,
    pub(crate) _life: Life,
}

pub(crate) type Then = Box<dyn Fn(&mut Doc, &Row) -> Result<Part, Cause> + Send + Sync>;
