//! User code that does what its cell says.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use gapless::{Cause, StageError};

use crate::cell::{Cell, Ending, Pace};
use crate::kit::face::{Code, Kind};
use crate::kit::process::HANGS;
use crate::kit::stages::{
    Cpu, CpuCode, Device, GpuCode, Out, Part, Prepared, Source, SourceCode, Then, Ticket, Work, places,
};
use crate::kit::world::{Doc, Id, UserCode, What, World, panic_quietly};

/// A gate in user code: whoever passes waits until it is open, or is let through.
#[derive(Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    open: bool,
    waiting: usize,
    /// Who may pass through the closed gate.
    let_through: usize,
}

impl Gate {
    pub(crate) fn pass(&self) {
        let mut state = self.state.lock().unwrap();
        state.waiting += 1;
        self.changed.notify_all();
        let mut state =
            self.changed.wait_while(state, |state| !state.open && state.let_through == 0).unwrap();
        state.waiting -= 1;
        state.let_through = state.let_through.saturating_sub(1);
    }

    pub(crate) fn open(&self) {
        self.state.lock().unwrap().open = true;
        self.changed.notify_all();
    }

    /// Lets one after the other through, as they come, until the gate is opened.
    pub(crate) fn serve(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.open {
            if state.waiting > state.let_through {
                state.let_through += 1;
                self.changed.notify_all();
            }
            state = self.changed.wait(state).unwrap();
        }
    }

    /// Returns when somebody waits here; false where nobody comes.
    pub(crate) fn is_reached(&self) -> bool {
        let state = self.state.lock().unwrap();
        let waited = self.changed.wait_timeout_while(state, HANGS, |state| state.waiting == 0).unwrap();
        !waited.1.timed_out()
    }
}

/// What all user code of a cell shares.
pub(crate) struct Script {
    pub(crate) cell: Cell,
    pub(crate) world: Arc<World>,
    /// Where user code stands that never returns.
    pub(crate) for_ever: Gate,
    /// Where a slow source waits before each document.
    pub(crate) turnstile: Gate,
}

impl Script {
    pub(crate) fn new(cell: Cell) -> Arc<Self> {
        let world = World::new(cell.of.kind.in_bags());
        Arc::new(Self { cell, world, for_ever: Gate::default(), turnstile: Gate::default() })
    }

    fn is(&self, ending: Ending) -> bool {
        self.cell.ending == ending
    }

    /// Whether this cell's document is among these.
    fn meets(&self, mut places: impl Iterator<Item = u64>) -> bool {
        places.any(|place| place == self.cell.index)
    }

    fn bombs(&self) -> bool {
        self.is(Ending::DropsPanic)
    }

    pub(crate) fn code(self: &Arc<Self>) -> Code {
        let device = |rank: usize| Device {
            code: Box::new(Scripted { script: self.clone(), rank }),
            _life: self.world.life(What::Device, self.bombs()),
        };
        // The device of `embed` is a program.
        let has_own = self.cell.of.kind.has_device() && self.cell.of.kind != Kind::Embed;
        let devices = if has_own { self.cell.of.devices } else { 0 };
        let in_place = self.cell.of.kind.is_in_place();
        Code {
            world: self.world.clone(),
            cpu: Cpu { code: self.clone(), _life: self.world.life(What::Cpu, self.bombs()) },
            devices: (0..devices).map(device).collect(),
            then: self.then(),
            source: Source {
                code: Box::new(Given { script: self.clone(), next: 0 }),
                _life: self.world.life(What::Source, self.bombs() && !in_place),
            },
            in_place: self.cell.documents(),
        }
    }

    fn then(self: &Arc<Self>) -> Then {
        let script = self.clone();
        Box::new(move |_, row| {
            let _user = UserCode::enter();
            if script.is(Ending::FailsInThen) && row.place == script.cell.index {
                return Err(Cause::msg("planted"));
            }
            Ok(Part { place: row.place, _life: script.world.life(What::Part, script.bombs()) })
        })
    }
}

impl CpuCode for Script {
    fn prepare(&self, work: Work<'_>) -> Result<Prepared, Cause> {
        let documents = match &work {
            Work::One(document) => std::slice::from_ref(&**document),
            Work::Many(documents) => documents,
        };
        let Some(Id::Source(first)) = documents.first().map(|document| document.id) else {
            panic!("a stage is given documents of the source");
        };
        let rows = documents.len() as u64;
        let meets = self.meets(first..first + rows);
        let hangs = self.is(Ending::StalledInCpu) || self.is(Ending::Deadline);
        if hangs && meets && self.cell.pace != Pace::Blocks {
            self.for_ever.pass();
        }
        let next = (first..first + rows).contains(&(self.cell.index + 1));
        let fails = match self.cell.ending {
            Ending::FailsInCpu => meets,
            Ending::BudgetIsSpent => meets || next,
            _ => false,
        };
        if fails {
            return Err(Cause::msg("planted"));
        }
        Ok(Prepared { first, rows, life: self.world.life(What::Prepared, self.bombs()) })
    }

    fn is_read(&self, place: u64) -> bool {
        let meets = place == self.cell.index;
        let on_device =
            || std::thread::current().name().is_some_and(|name| name.starts_with("gapless-device"));
        if meets && self.is(Ending::StalledOnDevice) && on_device() {
            self.for_ever.pass();
        }
        !(meets && self.is(Ending::FailsOnDevice))
    }
}

struct Scripted {
    script: Arc<Script>,
    rank: usize,
}

impl GpuCode for Scripted {
    fn submit(&mut self, batch: &[Prepared]) -> Result<Ticket, StageError> {
        let bombs = self.script.bombs();
        let life = self.script.world.life(What::Ticket, bombs);
        Ok(Ticket { places: places(batch), looks: 0, of: self.rank, _life: life })
    }

    fn try_collect(&mut self, ticket: &mut Ticket, _: Duration) -> Result<Option<Out>, StageError> {
        let script = &self.script;
        let meets = script.meets(ticket.places.iter().copied());
        match script.cell.ending {
            Ending::FailsOnDevice if meets => return Err(StageError::Batch(Cause::msg("planted"))),
            // Of several devices the first is lost, whatever it has.
            Ending::DeviceIsGivenUp if script.cell.of.devices > 1 && self.rank == 0 => {
                return Err(StageError::Lost(Cause::msg("planted")));
            }
            Ending::DeviceIsGivenUp if script.cell.of.devices == 1 && meets => {
                return Err(StageError::Lost(Cause::msg("planted")));
            }
            Ending::StalledOnDevice if meets => script.for_ever.pass(),
            _ => {}
        }
        let mut out = ticket.output(&script.world);
        out._life = script.world.life(What::Output, script.bombs());
        Ok(Some(out))
    }
}

struct Given {
    script: Arc<Script>,
    next: u64,
}

impl SourceCode for Given {
    fn next(&mut self) -> Option<Doc> {
        let Script { cell, world, for_ever, turnstile } = &*self.script;
        if cell.pace == Pace::Slow {
            turnstile.pass();
        }
        if cell.blocks_at() == Some(self.next) {
            for_ever.pass();
            return None;
        }
        if cell.ending == Ending::SourcePanics && cell.index == self.next {
            panic_quietly("a source");
        }
        if self.next == cell.documents() {
            return None;
        }
        self.next += 1;
        Some(world.document(false))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.script.cell.documents() - self.next) as usize;
        (left, Some(left))
    }
}
