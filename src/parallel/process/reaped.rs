//! A process that is always waited for.

use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};

use super::died::Ending;
use super::{LAST_MOMENTS, each_moment};
use crate::engine::seam::spawn_aside;

/// A process; killed and waited for when this is dropped.
///
/// It is never signalled once its end was seen, since its number may be another process's then.
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
            self.ended = match self.process.as_mut()?.try_wait() {
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
            let _ended_just_now = process.kill();
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
            let _without = spawn_aside("gapless-reaper", Box::new(waits));
        }
    }
}

impl Drop for Reaped {
    fn drop(&mut self) {
        self.end();
    }
}

fn ending(status: ExitStatus) -> Ending {
    match (status.signal(), status.code()) {
        (Some(signal), _) => Ending::Signal(signal),
        (None, Some(code)) => Ending::Exit(code),
        (None, None) => Ending::Unknown,
    }
}
