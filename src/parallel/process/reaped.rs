//! A process that is always waited for, and what it started ended with it.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::died::Ending;
use super::{LAST_MOMENTS, each_moment};
use crate::engine::seam::{STACK, spawn_aside};

/// A process that leads a group of its own; killed with its group and waited for when this is dropped.
///
/// Its end is seen before it is waited for: until then its number is no other's, nor is that of its group, which is
/// ended then. It is never signalled afterwards.
pub(super) struct Reaped {
    process: Option<Child>,
    ended: Option<Ending>,
}

impl Reaped {
    pub(super) fn new(process: Child) -> Self {
        Self { process: Some(process), ended: None }
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<Ending> {
        if self.ended.is_none() {
            let process = self.process.as_mut()?;
            let seen = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            match waitid(WaitId::Pid(Pid::from_child(process)), seen) {
                Ok(None) => return None,
                Ok(Some(_)) => end_group(process),
                // Somebody else has waited for it: its numbers may be another's.
                Err(_) => {}
            }
            self.ended = match process.try_wait() {
                Ok(status) => status.map(ending),
                // There is no such process any more.
                Err(_) => Some(Ending::Unknown),
            };
        }
        self.ended
    }

    /// Whether it ends within its last moments, unless `give_up` says that they are over.
    pub(super) fn ends_soon(&mut self, mut give_up: impl FnMut() -> bool) -> bool {
        each_moment(LAST_MOMENTS, || self.ended().is_some() || give_up());
        self.ended().is_some()
    }

    /// Ends it where it has not ended by itself.
    pub(super) fn end(&mut self) -> Ending {
        if let (None, Some(process)) = (self.ended(), &mut self.process) {
            end_group(process);
            if !self.ends_soon(|| false) {
                self.leave();
            }
        }
        self.ended().unwrap_or(Ending::Unknown)
    }

    /// A process that is inside the kernel ends when it comes out. Nobody is held up until then, and it
    /// leaves no zombie.
    fn leave(&mut self) {
        if let Some(mut process) = self.process.take() {
            let waits = move || drop(process.wait());
            let _without = spawn_aside("gapless-reaper", STACK, Box::new(waits));
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends a process that was not waited for yet, and what it started, but for what has put itself into another group.
fn end_group(process: &Child) {
    let _nobody_is_left = kill_process_group(Pid::from_child(process), Signal::KILL);
}

fn ending(status: ExitStatus) -> Ending {
    match (status.signal(), status.code()) {
        (Some(signal), _) => Ending::Signal(signal),
        (None, Some(code)) => Ending::Exit(code),
        (None, None) => Ending::Unknown,
    }
}
