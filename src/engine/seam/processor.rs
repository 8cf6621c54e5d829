//! Processor time, and the cores that it comes from: what tells a thread that works from one that waits.
//!
//! A look costs a call of the system, some hundred nanoseconds, so single documents are not measured by it.

use std::time::Duration;

use super::Seam;
#[cfg(test)]
use super::manual::World;

impl Seam {
    /// Processor time that this thread has used; `None` where the system does not tell (it does on Unix).
    pub(crate) fn thread_time(&self) -> Option<Duration> {
        match self {
            Self::Real { .. } => real::thread(),
            #[cfg(test)]
            _ => self.world().map(World::thread_time),
        }
    }

    /// Processor time that all threads of this process have used.
    pub(crate) fn process_time(&self) -> Option<Duration> {
        match self {
            Self::Real { .. } => real::process(),
            #[cfg(test)]
            _ => self.world().map(World::process_time),
        }
    }

    /// Cores that this process may use.
    pub(crate) fn cores(&self) -> usize {
        match self {
            Self::Real { .. } => cores(),
            #[cfg(test)]
            _ => self.world().map_or(1, |world| world.machine().cores),
        }
    }

    #[cfg(test)]
    fn world(&self) -> Option<&World> {
        if let Self::Manual(world) = self { Some(world) } else { None }
    }
}

/// Cores that this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(unix)]
mod real {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn thread() -> Option<Duration> {
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).ok()
    }

    pub(super) fn process() -> Option<Duration> {
        Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).ok()
    }
}

#[cfg(not(unix))]
mod real {
    use std::time::Duration;

    pub(super) fn thread() -> Option<Duration> {
        None
    }

    pub(super) fn process() -> Option<Duration> {
        None
    }
}
