//! A cell of the table: which face, which ending, at which index, with which source.

use std::fmt;
use std::time::Duration;

use gapless::{AtMost, OnFailure};

use crate::kit::face::{Kind, Setup};

/// Documents of a run that ends by itself.
pub(crate) const DOCUMENTS: u64 = 6;
/// Documents of a batch.
pub(crate) const BATCH: u64 = 2;

/// A way to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Finished,
    FailsInCpu,
    FailsOnDevice,
    FailsInThen,
    BudgetIsSpent,
    Stopped,
    Dropped,
    Deadline,
    StalledInCpu,
    StalledOnDevice,
    SourcePanics,
    DeviceIsGivenUp,
    DropsPanic,
}

/// How the source gives its documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    Fast,
    /// One at a time, each let through by another thread.
    Slow,
    /// At some document it blocks for ever.
    Blocks,
}

/// Whose threads work, and where the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Threads {
    Own(usize),
    Foreign,
    /// The caller is the one thread of a pool of others.
    CallerInside,
}

/// A face, and how it is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Of {
    pub(crate) kind: Kind,
    pub(crate) threads: Threads,
    pub(crate) devices: usize,
    pub(crate) sequential: bool,
    pub(crate) polled: bool,
    pub(crate) chunk: Option<usize>,
    pub(crate) on_workers: bool,
}

const fn of(kind: Kind) -> Of {
    Of {
        kind,
        threads: Threads::Own(2),
        devices: 1,
        sequential: false,
        polled: false,
        chunk: None,
        on_workers: false,
    }
}

/// What only some faces have.
const OTHERS: [Of; 10] = [
    Of { sequential: true, ..of(Kind::Documents) },
    Of { sequential: true, ..of(Kind::Batches) },
    Of { sequential: true, ..of(Kind::Then) },
    Of { devices: 2, ..of(Kind::Documents) },
    Of { devices: 2, ..of(Kind::Then) },
    Of { on_workers: true, ..of(Kind::Documents) },
    Of { on_workers: true, devices: 2, ..of(Kind::Documents) },
    Of { on_workers: true, ..of(Kind::Batches) },
    Of { on_workers: true, threads: Threads::Foreign, ..of(Kind::Then) },
    Of { chunk: Some(3), ..of(Kind::Parallel) },
];

/// All faces of the table: each kind, whoever works and wherever its caller is, iterated and polled, and what only
/// some have.
pub(crate) fn faces() -> Vec<Of> {
    let threads = [Threads::Own(2), Threads::Own(0), Threads::Foreign, Threads::CallerInside];
    let iterated = Kind::ALL
        .into_iter()
        .chain([Kind::Embed, Kind::Scoped, Kind::Served])
        .flat_map(|kind| threads.map(|threads| Of { threads, ..of(kind) }))
        // A server needs somebody beside its caller.
        .filter(|of| of.kind != Kind::Served || !of.is_inline());
    let polled = iterated.clone().filter(|of| of.kind.can_be_polled() && of.threads != Threads::CallerInside);
    iterated.chain(polled.map(|of| Of { polled: true, ..of })).chain(OTHERS).collect()
}

impl Of {
    pub(crate) fn is_inline(self) -> bool {
        self.threads == Threads::Own(0)
    }

    /// Whether whatever the caller asks for is done in its own thread.
    pub(crate) fn works_in_caller(self) -> bool {
        self.is_inline() || self.threads == Threads::CallerInside
    }

    /// Documents of one item.
    pub(crate) fn item(self) -> u64 {
        if self.kind.in_batches() { BATCH } else { 1 }
    }

    /// Documents of one result.
    pub(crate) fn result(self) -> u64 {
        if self.kind.has_device() { BATCH } else { self.item() }
    }

    /// Results that come for certain where the source blocks after so many documents: what a feeder has in
    /// hand when it blocks may not have been begun.
    pub(crate) fn certain(self, given: u64) -> u64 {
        match (self.kind, self.chunk) {
            _ if self.sequential => 0,
            (Kind::Map, _) => given.min(1),
            (_, Some(chunk)) => given / chunk as u64 * chunk as u64,
            _ => given / self.result(),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cell {
    pub(crate) of: Of,
    pub(crate) ending: Ending,
    pub(crate) index: u64,
    pub(crate) pace: Pace,
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Of { kind, threads, devices, sequential, polled, chunk, on_workers } = self.of;
        write!(f, "{:?} at {}, source {:?}, {kind:?}", self.ending, self.index, self.pace)?;
        if threads != Threads::Own(2) {
            write!(f, ", threads {threads:?}")?;
        }
        if devices != 1 {
            write!(f, ", {devices} devices")?;
        }
        if let Some(chunk) = chunk {
            write!(f, ", chunk {chunk}")?;
        }
        f.write_str(if on_workers { ", on workers" } else { "" })?;
        f.write_str(if sequential { ", sequential" } else { "" })?;
        f.write_str(if polled { ", polled" } else { "" })
    }
}

impl Cell {
    /// The cells of a row for one face.
    pub(crate) fn all(of: Of, ending: Ending) -> Vec<Self> {
        let paces = [Pace::Fast, Pace::Slow, Pace::Blocks];
        let cells = paces
            .iter()
            .flat_map(|pace| (0..=DOCUMENTS).map(move |index| Self { of, ending, index, pace: *pace }));
        cells.filter(Self::exists).collect()
    }

    /// Whether there is such an ending.
    fn exists(&self) -> bool {
        let Of { kind, polled, .. } = self.of;
        let blocks = self.pace == Pace::Blocks;
        if kind.is_in_place() && self.pace != Pace::Fast {
            return false;
        }
        let inside = self.index < DOCUMENTS;
        // A scope waits for what never returns, and a server gives up what is inside it.
        let waits = blocks
            || matches!(self.ending, Ending::Deadline | Ending::StalledInCpu | Ending::StalledOnDevice);
        if matches!(kind, Kind::Scoped | Kind::Served) && waits {
            return false;
        }
        match self.ending {
            Ending::Finished => !blocks,
            // A failure ends no run of `map`, and one in a group that is not full is not there yet.
            Ending::FailsInCpu if blocks => inside && self.failure_is_certain(),
            Ending::BudgetIsSpent if blocks => self.index + 1 < DOCUMENTS && self.failure_is_certain(),
            Ending::FailsInCpu => inside,
            Ending::BudgetIsSpent => inside && kind != Kind::ApplyBatch && kind != Kind::Vectorizer,
            // Its device is the CPU.
            Ending::DeviceIsGivenUp if kind == Kind::Embed => false,
            Ending::FailsOnDevice | Ending::DeviceIsGivenUp => {
                inside && kind.has_device() && !(blocks && self.of.sequential)
            }
            Ending::FailsInThen => {
                let has_then = kind == Kind::Then || kind.is_in_a_row();
                inside && has_then && !(blocks && self.of.sequential)
            }
            Ending::Stopped => !polled && !kind.is_one_call(),
            Ending::Dropped => !kind.is_one_call(),
            Ending::Deadline | Ending::StalledInCpu => inside && !self.of.works_in_caller(),
            Ending::StalledOnDevice => self.can_stall_on_device(),
            Ending::SourcePanics => !blocks && !kind.is_in_place(),
            Ending::DropsPanic => !blocks,
        }
    }

    fn failure_is_certain(&self) -> bool {
        let ends = !matches!(self.of.kind, Kind::Map | Kind::MapBatch | Kind::Vectorizer);
        ends && !self.of.sequential && self.of.chunk.is_none()
    }

    fn can_stall_on_device(&self) -> bool {
        let own_thread = !self.of.works_in_caller() && !self.of.sequential;
        self.index < DOCUMENTS && self.of.kind.has_device() && own_thread && self.pace != Pace::Blocks
    }

    /// Documents that the source has.
    pub(crate) fn documents(&self) -> u64 {
        if self.ending == Ending::Finished { self.index } else { DOCUMENTS }
    }

    /// The document at which the source blocks for ever.
    pub(crate) fn blocks_at(&self) -> Option<u64> {
        let of_failures = matches!(
            self.ending,
            Ending::FailsInCpu
                | Ending::BudgetIsSpent
                | Ending::FailsOnDevice
                | Ending::FailsInThen
                | Ending::DeviceIsGivenUp
        );
        let second = u64::from(self.ending == Ending::BudgetIsSpent);
        // What fails stands in a batch that is full.
        let full = (self.index + second) / BATCH * BATCH + BATCH;
        (self.pace == Pace::Blocks).then_some(if of_failures { full } else { self.index })
    }

    /// Results that the caller takes before it does what it does.
    pub(crate) fn results(&self) -> u64 {
        match self.ending {
            Ending::Stopped | Ending::Dropped if self.pace == Pace::Blocks => self.of.certain(self.index),
            Ending::Stopped | Ending::Dropped => self.index,
            // It goes on with the others, and would wait for its source for ever.
            Ending::DeviceIsGivenUp if self.of.devices > 1 => {
                self.blocks_at().map_or(u64::MAX, |given| self.of.certain(given))
            }
            Ending::DropsPanic if !self.of.polled && !self.of.kind.is_one_call() => self.index,
            _ => u64::MAX,
        }
    }

    /// Whether its watchdog ends it.
    pub(crate) fn is_stalled(&self) -> bool {
        matches!(self.ending, Ending::StalledInCpu | Ending::StalledOnDevice)
    }

    pub(crate) fn setup(&self, patience: Duration) -> Setup {
        let stalls = self.is_stalled();
        let late = self.ending == Ending::Deadline;
        let one = matches!(self.of.kind, Kind::Parallel | Kind::Futures) && self.pace == Pace::Blocks;
        Setup {
            polled: self.of.polled,
            sequential: self.of.sequential,
            on_workers: self.of.on_workers,
            batch_size: BATCH as usize,
            workers: if let Threads::Own(workers) = self.of.threads { workers } else { 0 },
            policy: match self.ending {
                Ending::BudgetIsSpent => OnFailure::SkipAtMost(AtMost::Count(1)),
                _ => OnFailure::Stop,
            },
            grace: (stalls || late).then_some(Duration::from_millis(10)),
            patience: stalls.then_some(patience),
            deadline: late.then_some(Duration::from_millis(5)),
            chunk: self.of.chunk.or(one.then_some(1)),
            ..Setup::of(self.of.kind)
        }
    }
}
