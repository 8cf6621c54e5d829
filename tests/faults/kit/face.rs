//! Every face of the crate behind one trait: started, asked, stopped, and asked what is left.

use std::sync::Arc;
use std::time::Duration;

use gapless::{Accounts, Cause, Error, OnFailure, Order, Stage};
use rayon::ThreadPool;

use super::stages::{Cpu, Device, Source, Then};
use super::world::{Doc, World};
use super::{face_batches, face_embed, face_items, face_served, face_whole};

/// A face of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// `Pipeline`, document by document.
    Documents,
    /// `Pipeline::per_batch`.
    Batches,
    /// `Pipeline::then`.
    Then,
    /// `Pipeline::then_gpu`: what `then` does stands before another device, which behaves.
    Halves,
    /// The same with a third half, which behaves.
    ThreeHalves,
    Parallel,
    /// `parallel` with a stage that begins futures.
    Futures,
    Map,
    MapBatch,
    Apply,
    ApplyBatch,
    Vectorizer,
    /// `embed`, whose documents are the crate's own: each stands for one that is counted.
    Embed,
    /// A `Pipeline` in a `scope`, which waits for calls that never return.
    Scoped,
    /// `Pipeline::serve`, whose requests come from no source.
    Served,
}

impl Kind {
    /// Those that take documents of any type.
    pub(crate) const ALL: [Self; 12] = [
        Self::Documents,
        Self::Batches,
        Self::Then,
        Self::Halves,
        Self::ThreeHalves,
        Self::Parallel,
        Self::Futures,
        Self::Map,
        Self::MapBatch,
        Self::Apply,
        Self::ApplyBatch,
        Self::Vectorizer,
    ];

    pub(crate) fn has_device(self) -> bool {
        self.is_in_a_row()
            || matches!(
                self,
                Self::Documents | Self::Batches | Self::Then | Self::Embed | Self::Scoped | Self::Served
            )
    }

    /// Whether several halves stand in a row.
    pub(crate) fn is_in_a_row(self) -> bool {
        matches!(self, Self::Halves | Self::ThreeHalves)
    }

    /// Whether a CPU stage is lent whole batches.
    pub(crate) fn in_batches(self) -> bool {
        matches!(self, Self::Batches | Self::MapBatch | Self::ApplyBatch)
    }

    /// Whether batches are collections of the user's own.
    pub(crate) fn in_bags(self) -> bool {
        matches!(self, Self::MapBatch | Self::ApplyBatch)
    }

    /// Whether there is a stream of it.
    pub(crate) fn can_be_polled(self) -> bool {
        !self.is_one_call()
    }

    /// Whether it returns when all is over, and not before.
    pub(crate) fn is_one_call(self) -> bool {
        self.is_in_place() || matches!(self, Self::Vectorizer | Self::Scoped)
    }

    /// Whether it changes documents where they are, or is given them one by one, and has no source.
    pub(crate) fn is_in_place(self) -> bool {
        matches!(self, Self::Apply | Self::ApplyBatch | Self::Embed | Self::Served)
    }
}

/// How a run is to be.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) polled: bool,
    pub(crate) sequential: bool,
    pub(crate) batch_size: usize,
    /// Batches, or items where there is no device.
    pub(crate) ahead: Option<usize>,
    pub(crate) workers: usize,
    /// Instead of workers.
    pub(crate) pool: Option<Arc<ThreadPool>>,
    pub(crate) order: Order,
    pub(crate) policy: OnFailure,
    pub(crate) ramp: bool,
    /// Whether batch size, `ahead` and ramp are chosen from measured costs.
    pub(crate) chosen: bool,
    pub(crate) last: Last,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) grace: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    /// Ends a run in which nothing has moved for so long.
    pub(crate) patience: Option<Duration>,
    /// Whether the workers run the devices.
    pub(crate) on_workers: bool,
    /// Items that a worker takes in one go, where there is no device.
    pub(crate) chunk: Option<usize>,
    /// The progress function of an `apply` panics at its first call.
    pub(crate) progress_panics: bool,
}

/// What becomes of a last batch that is not full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Last {
    Short,
    Drop,
    Pad,
}

impl Setup {
    /// Small and plain.
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            kind,
            polled: false,
            sequential: false,
            batch_size: 2,
            ahead: None,
            workers: 2,
            pool: None,
            order: Order::Source,
            policy: OnFailure::Stop,
            ramp: false,
            chosen: false,
            last: Last::Short,
            max_wait: None,
            grace: None,
            deadline: None,
            patience: None,
            on_workers: false,
            chunk: None,
            progress_panics: false,
        }
    }

    /// Documents of one item.
    pub(crate) fn item(&self) -> u64 {
        if self.kind.in_batches() { self.batch_size as u64 } else { 1 }
    }

    /// A document that fails never ends a `map`: the caller decides that.
    pub(crate) fn policy(&self) -> OnFailure {
        if matches!(self.kind, Kind::Map | Kind::MapBatch) { OnFailure::Skip } else { self.policy }
    }
}

/// The code of a run.
pub(crate) struct Code {
    pub(crate) world: Arc<World>,
    pub(crate) cpu: Cpu,
    pub(crate) devices: Vec<Device>,
    pub(crate) then: Then,
    pub(crate) source: Source,
    /// Documents that are changed in place, instead of those of the source.
    pub(crate) in_place: u64,
}

/// What came out of a run. Places are those of documents.
#[derive(Default)]
pub(crate) struct Got {
    /// Places with a result, as they came.
    pub(crate) delivered: Vec<u64>,
    pub(crate) failed: Vec<FailedAt>,
    /// Places of failed documents that their stage had taken.
    pub(crate) taken: Vec<u64>,
    /// Every document that was handed out.
    pub(crate) documents: Vec<Doc>,
    pub(crate) error: Option<Error>,
    /// What was taken back, by place; `None` where the face has no way.
    pub(crate) left: Option<Vec<(u64, Doc)>>,
    /// The accounts of a face that is one call.
    pub(crate) accounts: Option<Accounts>,
    /// Documents with a result are dropped by the face itself.
    pub(crate) results_only: bool,
    /// Everything else that came out, so that the test drops it.
    pub(crate) kept: Vec<Box<dyn std::any::Any>>,
}

pub(crate) struct FailedAt {
    pub(crate) place: u64,
    pub(crate) stage: Stage,
    pub(crate) cause: Cause,
}

impl Got {
    pub(crate) fn failure(&mut self, place: u64, stage: Stage, cause: Cause) {
        self.failed.push(FailedAt { place, stage, cause });
    }

    pub(crate) fn end(&mut self, error: Error, world: &World) {
        if self.error.replace(error).is_some() {
            world.wrong("an error is the last item");
        }
    }
}

/// A run of any face.
pub(crate) trait Face: Send {
    /// Takes what comes next; false at the end.
    fn next(&mut self, got: &mut Got) -> bool;

    /// False where it cannot be stopped.
    fn stop(&mut self) -> bool;

    /// Takes back what did not come out, by place; `None` where the face has no way.
    fn take_back(&mut self) -> Option<Vec<(u64, Doc)>>;

    fn accounts(&self) -> Option<Accounts>;

    fn left_behind(&self) -> Vec<String>;
}

/// Starts a run.
pub(crate) fn start(setup: &Setup, code: Code) -> Box<dyn Face> {
    match setup.kind {
        Kind::Documents | Kind::Batches | Kind::Then | Kind::Halves | Kind::ThreeHalves => {
            face_batches::start(setup, code)
        }
        Kind::Scoped => face_batches::start_scoped(setup, code),
        Kind::Served => face_served::serve(setup, code),
        Kind::Parallel => face_items::start_parallel(setup, code),
        Kind::Futures => face_items::start_futures(setup, code),
        Kind::Map => face_items::start_map(setup, code),
        Kind::MapBatch => face_items::start_map_batch(setup, code),
        Kind::Apply | Kind::ApplyBatch => face_whole::apply_face(setup, code),
        Kind::Vectorizer => face_whole::vectorizer(setup, code),
        Kind::Embed => face_embed::embed(setup, code),
    }
}
