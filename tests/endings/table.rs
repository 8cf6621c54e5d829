//! Runs the cells of a row, those of one face at a time together, and holds each against the laws.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rayon::ThreadPoolBuilder;

use crate::cell::{Cell, Ending, Pace, Threads, faces};
use crate::kit::face::{Face, Got, Setup, start};
use crate::kit::laws::{Base, Ended, Law};
use crate::kit::process::{HANGS, until};
use crate::kit::world::said;
use crate::script::Script;

/// Threads and descriptors are those of the process: one test at a time.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many milliseconds nothing moves before a run is called stalled, where that is how it ends.
const PATIENCES: [u64; 4] = [10, 50, 250, 1250];

/// Cells that run at the same time.
const TOGETHER: usize = 11;

/// Every face at every index with every source, for one ending.
pub(crate) fn row(ending: Ending) {
    let _alone = alone();
    let mut wrong = Vec::new();
    for of in faces() {
        let base = Base::now();
        let before = wrong.len();
        Cell::all(of, ending).chunks(TOGETHER).for_each(|cells| wrong.extend(run_together(cells)));
        // What hangs has its threads still.
        if wrong.len() == before
            && let Err(reason) = base.is_back(&[])
        {
            wrong.push(format!("{reason}: {ending:?} of {of:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What is wrong with these cells.
fn run_together(cells: &[Cell]) -> Vec<String> {
    let (ends, ended) = channel();
    for (index, cell) in cells.iter().copied().enumerate() {
        let ends = ends.clone();
        std::thread::spawn(move || drop(ends.send((index, run_cell(cell)))));
    }
    drop(ends);
    let mut laws: Vec<Law> = cells.iter().map(|_| Err("it hangs".into())).collect();
    let deadline = Instant::now() + 3 * HANGS;
    while let Ok((index, law)) = ended.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        laws[index] = law;
    }
    let wrong = |(law, cell): (Law, &Cell)| Some(format!("{}: {cell:?}", law.err()?));
    laws.into_iter().zip(cells).filter_map(wrong).collect()
}

/// Runs one cell. On a machine that stands still for a moment a watchdog ends a run that does not: what is wrong
/// only with little patience is not wrong.
fn run_cell(cell: Cell) -> Law {
    let mut law = Ok(());
    for patience in PATIENCES {
        law = run_once(cell, Duration::from_millis(patience));
        if law.is_ok() || !cell.is_stalled() {
            break;
        }
    }
    law
}

/// Runs one cell, and ends whatever still stands in its user code.
fn run_once(cell: Cell, patience: Duration) -> Law {
    let script = Script::new(cell);
    if cell.pace == Pace::Slow {
        let script = script.clone();
        std::thread::spawn(move || script.turnstile.serve());
    }
    let law = in_its_place(cell, patience, |setup| drive(&script, &setup));
    script.turnstile.open();
    law?;
    let dead = until(|| script.world.alive() == 0);
    if dead { Ok(()) } else { Err(format!("{} values of the run are still alive", script.world.alive())) }
}

/// Calls this where the caller of the cell is.
fn in_its_place<R: Send>(cell: Cell, patience: Duration, call: impl FnOnce(Setup) -> R + Send) -> R {
    let mut setup = cell.setup(patience);
    if let Threads::Own(_) = cell.of.threads {
        return call(setup);
    }
    let name = |rank| format!("foreign-{rank}");
    let pool = ThreadPoolBuilder::new().num_threads(1).thread_name(name).build().expect("a thread");
    let pool = Arc::new(pool);
    setup.pool = Some(pool.clone());
    if cell.of.threads == Threads::CallerInside { pool.install(|| call(setup)) } else { call(setup) }
}

fn drive(script: &Arc<Script>, setup: &Setup) -> Law {
    let mut got = Got::default();
    let driven = catch_unwind(AssertUnwindSafe(|| end(script, setup, start(setup, script.code()), &mut got)));
    script.for_ever.open();
    script.world.disarm();
    drop(got);
    driven.unwrap_or_else(|payload| Err(format!("a panic came out: {}", said(&*payload))))
}

fn end(script: &Arc<Script>, setup: &Setup, mut face: Box<dyn Face>, got: &mut Got) -> Law {
    let cell = script.cell;
    let mut results = 0;
    while results < cell.results() && face.next(got) {
        results += 1;
    }
    // A run that is stopped before its source blocks says nothing of one that blocks.
    let by_caller = matches!(cell.ending, Ending::Stopped | Ending::Dropped);
    let blocks = cell.pace == Pace::Blocks && !cell.of.works_in_caller();
    if by_caller && blocks && !script.for_ever.is_reached() {
        return Err("the source was not asked for what comes next".into());
    }
    if cell.ending == Ending::Dropped {
        drop(face);
        return script.world.first_wrong().map_or(Ok(()), Err);
    }
    face.stop();
    while face.next(got) {}
    let stuck = (cell.is_stalled() || cell.ending == Ending::Deadline) && cell.pace != Pace::Blocks;
    let accounts = face.accounts().or(got.accounts);
    got.left = face.take_back();
    let law = if face.accounts().or(got.accounts) == accounts {
        Ok(())
    } else {
        Err("law 2: what is taken back changes the accounts".into())
    };
    let ended = Ended { setup, world: &script.world, got, accounts, stuck };
    let law = law.and_then(|()| ended.check()).and_then(|()| cell.check(got));
    drop(face);
    law
}
