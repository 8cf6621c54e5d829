//! What a watchdog says of a run in which nothing moves: who waits for whom.

use std::fmt;
use std::time::Duration;

use super::text::OneLine;
use crate::place::{BatchIndex, Position};

/// A run in which nothing moves: who waits for whom. Told by
/// [`Pipeline::watchdog`](crate::Pipeline::watchdog).
///
/// `Display` writes all of it in one line: *nothing has moved for 30 s: gapless-cpu-1 has been preparing
/// document 17 for 31 s; 46 prepared items stand in line; gapless-device waits for a batch; the feeder waits
/// for a token; the caller waits for a result; 64 of 64 tokens are taken*.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stalled {
    /// For how long nothing has moved.
    pub after: Duration,
    /// Code that has not returned, the longest first: whom the others wait for.
    pub inside: Vec<Inside>,
    /// Who waits, and for what.
    pub waits: Vec<Wait>,
    /// Items (batches, with `per_batch`) that are prepared and stand in line, behind an older one that is
    /// not, or for a device, or for the caller where there is none.
    pub in_line: u64,
    /// Tokens that are taken: items in flight, and those that the feeder asks the source for.
    pub taken: usize,
    /// Tokens that there are; `None` in a sequential run, which holds everything.
    pub tokens: Option<usize>,
}

/// Code that has not returned. Part of a [`Stalled`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Inside {
    /// The thread that is inside it, as the operating system and debuggers name it; empty where it has no
    /// name, and for the caller.
    pub thread: String,
    /// What it is doing.
    pub at: At,
    /// For how long.
    pub running: Duration,
}

/// What a thread of a run is doing. Part of an [`Inside`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum At {
    /// It asks the source for the document of this place.
    Source(Position),
    /// It prepares this document. Where several are prepared in one go, `running` is how long this one was
    /// seen to take, at least.
    Prepare(Position),
    /// It submits this batch to its device.
    Submit(BatchIndex),
    /// This batch, the oldest one on the device, has been there since it was submitted.
    Device(BatchIndex),
    /// It makes a lost device again.
    Rebuild,
    /// It is in the function given to `then`, with this document.
    Then(Position),
    /// The caller of the run, outside of it: it has not asked for a result.
    Caller,
}

/// Who waits, and for what. Part of a [`Stalled`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// The device thread of this name waits for a batch.
    DeviceForBatch(String),
    /// So many units of work wait for a worker. Where no worker is inside anything the pool, which belongs
    /// to others, is busy with theirs.
    WorkForWorker(usize),
    /// The feeder waits for a token.
    FeederForToken,
    /// The caller waits for a result.
    CallerForResult,
}

impl fmt::Display for Stalled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing has moved for {}: ", Time(self.after))?;
        for inside in &self.inside {
            write!(f, "{inside}; ")?;
        }
        match self.in_line {
            0 => {}
            1 => f.write_str("1 prepared item stands in line; ")?,
            items => write!(f, "{items} prepared items stand in line; ")?,
        }
        for wait in &self.waits {
            write!(f, "{wait}; ")?;
        }
        match self.tokens {
            Some(tokens) => write!(f, "{} of {tokens} tokens are taken", self.taken),
            None => write!(f, "{} tokens are taken", self.taken),
        }
    }
}

impl fmt::Display for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let thread = if self.thread.is_empty() { "a thread without a name" } else { &self.thread };
        let thread = OneLine(thread);
        match self.at {
            At::Source(place) => write!(f, "{thread} has been asking the source for document {place}"),
            At::Prepare(place) => write!(f, "{thread} has been preparing document {place}"),
            At::Submit(batch) => write!(f, "{thread} has been submitting batch {batch}"),
            At::Device(batch) => write!(f, "{thread} has been running batch {batch}"),
            At::Rebuild => write!(f, "{thread} has been making its lost device again"),
            At::Then(place) => write!(f, "{thread} has been in then with document {place}"),
            At::Caller => f.write_str("the caller has not asked for a result"),
        }?;
        write!(f, " for {}", Time(self.running))
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DeviceForBatch(thread) => write!(f, "{} waits for a batch", OneLine(thread)),
            Self::WorkForWorker(1) => f.write_str("1 unit of work waits for a worker"),
            Self::WorkForWorker(units) => write!(f, "{units} units of work wait for a worker"),
            Self::FeederForToken => f.write_str("the feeder waits for a token"),
            Self::CallerForResult => f.write_str("the caller waits for a result"),
        }
    }
}

/// Seconds, or less.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.as_secs(), self.0.subsec_millis()) {
            (0, millis) => write!(f, "{millis} ms"),
            (seconds, 0) => write!(f, "{seconds} s"),
            (seconds, millis) => write!(f, "{seconds}.{} s", millis / 100),
        }
    }
}
