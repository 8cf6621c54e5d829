//! Wakes a caller that polls when it has to look by itself: at a deadline, or where an item may be late.
//!
//! A caller with a thread wakes by a timed wait. One that polls has none, so the first time that it has to be
//! woken a thread is started for it; a run without such limits never has one. It ends by itself with the run.

use std::io;
use std::sync::Arc;

use crate::engine::ledger::Ledger;
use crate::engine::seam::{Condvar, Moment, Mutex, STACK, Seam, spawn_unjoined};

pub(crate) struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    started: bool,
    over: bool,
    due: Option<Moment>,
}

impl Timer {
    pub(crate) fn new(seam: &Seam) -> Self {
        Self { state: seam.mutex(State::default()), changed: seam.condvar() }
    }

    /// Rings the alarm of the run then, or when that was asked for before and comes sooner.
    pub(crate) fn ring_at(self: &Arc<Self>, ledger: &Arc<Ledger>, due: Moment) -> io::Result<()> {
        let mut state = self.state.lock();
        state.due = Some(state.due.map_or(due, |before| before.min(due)));
        let starts = !std::mem::replace(&mut state.started, true);
        drop(state);
        self.changed.notify_one();
        if starts {
            let (timer, ledger) = (self.clone(), ledger.clone());
            spawn_unjoined(
                &ledger.seam.clone(),
                "gapless-timer",
                STACK,
                Box::new(move || timer.run(&ledger)),
            )?;
        }
        Ok(())
    }

    fn run(&self, ledger: &Ledger) {
        let mut state = self.state.lock();
        while !state.over {
            let now = ledger.now();
            state = match state.due {
                Some(due) if due <= now => {
                    state.due = None;
                    drop(state);
                    ledger.threads.alarm().ring();
                    self.state.lock()
                }
                Some(due) => self.changed.wait_timeout(state, &self.state, due.since(now)),
                None => self.changed.wait(state, &self.state),
            };
        }
    }

    /// The run has ended; so does the thread, where there is one.
    pub(crate) fn close(&self) {
        self.state.lock().over = true;
        self.changed.notify_all();
    }
}
