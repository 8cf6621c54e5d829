//! What one run is: its face, its settings, its faults and its caller's wish, all from a seed.

use std::time::Duration;

use gapless::{AtMost, OnFailure, Order};

use crate::kit::face::{Kind, Last, Setup};
use crate::random::Random;

/// How user code fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Err,
    /// An error that panics when it is shown.
    Unshowable,
    Panic,
}

/// What a CPU stage does with the documents that it is lent, before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tamper {
    /// It takes all, and drops them.
    Take,
    /// It takes one, and keeps it.
    Pop,
    Clear,
    /// It puts one in.
    Add,
    /// It puts another in the place of one.
    Swap,
}

/// What a CPU stage does while it is at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Busy {
    /// It blocks until it is interrupted, or for a millisecond.
    Blocks,
    CallsRayon,
    SpawnsThread,
    RunsPipeline,
}

/// How often faults happen: once in so many calls; `NEVER` for never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) prepare: u64,
    pub(crate) tamper: u64,
    pub(crate) busy: u64,
    pub(crate) recycle: u64,
    pub(crate) then: u64,
    /// Items that the device does not accept.
    pub(crate) odd: u64,
    pub(crate) device: u64,
    /// Outputs with another number of rows, or that panic when they are asked.
    pub(crate) rows: u64,
    pub(crate) lost: u64,
    /// Documents that lose the device whenever it runs them.
    pub(crate) loses: u64,
    pub(crate) gather: u64,
}

/// Values that panic when they are dropped: once in so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bombs {
    pub(crate) document: u64,
    pub(crate) prepared: u64,
    pub(crate) output: u64,
    pub(crate) ticket: u64,
    pub(crate) part: u64,
    pub(crate) error: u64,
    pub(crate) cpu: bool,
    pub(crate) device: bool,
    pub(crate) source: bool,
}

/// Whether a lost device can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rebuild {
    Never,
    /// It may fail, panic, or give a device that is lost too.
    Perhaps,
    Always,
}

/// What a source says of its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hint {
    Exact,
    TooSmall,
    TooLarge,
    Endless,
    Absurd,
    Panics,
}

/// How a source behaves beside giving documents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sources {
    pub(crate) hint: Hint,
    /// It panics there once, and would go on.
    pub(crate) panics_at: Option<u64>,
    /// Asked again after its end it gives more.
    pub(crate) goes_on: bool,
    /// It blocks for a moment, once in so many documents.
    pub(crate) blocks: u64,
}

/// What the caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Finish,
    StopAfter(usize),
    DropAfter(usize),
}

/// Whose threads work, and where the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Own(usize),
    /// A pool of others with so many threads; the caller may itself be in it.
    Foreign {
        threads: usize,
        caller_inside: bool,
    },
}

/// One run: everything about it follows from the seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) kind: Kind,
    pub(crate) polled: bool,
    pub(crate) sequential: bool,
    pub(crate) on_workers: bool,
    pub(crate) documents: u64,
    pub(crate) batch_size: usize,
    pub(crate) ahead: Option<usize>,
    pub(crate) chunk: Option<usize>,
    pub(crate) place: Place,
    pub(crate) devices: usize,
    pub(crate) depth: usize,
    pub(crate) fits: usize,
    pub(crate) looks: u64,
    pub(crate) ramp: bool,
    /// Whether batch size, `ahead` and ramp are chosen from measured costs.
    pub(crate) chosen: bool,
    pub(crate) order: Order,
    pub(crate) last: Last,
    pub(crate) policy: OnFailure,
    pub(crate) max_wait: bool,
    pub(crate) deadline: bool,
    pub(crate) copies_panic: bool,
    pub(crate) progress_panics: bool,
    pub(crate) source: Sources,
    pub(crate) rates: Rates,
    pub(crate) bombs: Bombs,
    pub(crate) rebuild: Rebuild,
    pub(crate) wish: Wish,
}

pub(crate) const NEVER: u64 = u64::MAX;

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let random = &mut Random(seed);
        let kind = random.choose(&Kind::ALL);
        let documents = random.choose(&[0, 1, 7, 20, 64]) + random.below(20);
        let has_device = kind.has_device();
        Self {
            seed,
            kind,
            polled: kind.can_be_polled() && random.once_in(4),
            sequential: has_device && !kind.is_in_a_row() && random.once_in(8),
            on_workers: has_device && random.once_in(4),
            documents,
            batch_size: random.size(1..9),
            ahead: if has_device {
                Some(random.size(1..4))
            } else {
                random.choose(&[None, Some(0), Some(3)])
            },
            chunk: random.choose(&[None, None, Some(1), Some(3)]),
            place: place(random),
            devices: random.size(1..4),
            depth: random.size(1..4),
            fits: if random.once_in(3) { random.size(1..9) } else { usize::MAX },
            looks: random.choose(&[1, 4, 40]),
            ramp: kind != Kind::Batches && random.once_in(3),
            chosen: has_device && random.once_in(4),
            order: if random.once_in(3) { Order::Completion } else { Order::Source },
            last: random.choose(&[Last::Short, Last::Drop, Last::Pad]),
            policy: random.choose(&POLICIES),
            max_wait: random.once_in(8),
            deadline: random.once_in(16),
            copies_panic: random.once_in(8),
            progress_panics: random.once_in(10),
            source: sources(random, documents),
            rates: rates(random),
            bombs: bombs(random),
            rebuild: random.choose(&[Rebuild::Never, Rebuild::Perhaps, Rebuild::Always, Rebuild::Always]),
            wish: wish(random),
        }
    }

    pub(crate) fn setup(&self) -> Setup {
        let batches = self.kind == Kind::Batches;
        Setup {
            polled: self.polled,
            sequential: self.sequential,
            batch_size: self.batch_size,
            ahead: self.ahead,
            workers: if let Place::Own(workers) = self.place { workers } else { 0 },
            order: if self.kind.is_one_call() { Order::Source } else { self.order },
            policy: self.policy,
            ramp: self.ramp,
            chosen: self.chosen && !batches,
            last: if batches { Last::Short } else { self.last },
            max_wait: (self.max_wait && !batches).then_some(Duration::from_micros(100)),
            deadline: self.deadline.then_some(Duration::from_millis(1)),
            on_workers: self.on_workers && !self.chosen && !self.max_wait,
            chunk: self.chunk,
            progress_panics: self.progress_panics,
            ..Setup::of(self.kind)
        }
    }

    /// Whether a fault that is rolled for each document hits this one, and how.
    pub(crate) fn fault(&self, salt: u64, id: u64, rate: u64) -> Option<Fault> {
        let random = &mut Random(self.seed ^ (salt << 40) ^ id);
        random.once_in(rate).then(|| random.choose(&[Fault::Err, Fault::Unshowable, Fault::Panic]))
    }

    /// Whether this value is a bomb.
    pub(crate) fn bomb(&self, salt: u64, id: u64, rate: u64) -> bool {
        Random(self.seed ^ (salt << 48) ^ id).once_in(rate)
    }

    /// Whether the item that begins with this document cannot be prepared.
    pub(crate) fn prepare_fault(&self, id: u64) -> Option<Fault> {
        self.fault(1, id, self.rates.prepare)
    }

    pub(crate) fn tamper(&self, id: u64) -> Option<Tamper> {
        let random = &mut Random(self.seed ^ (5 << 40) ^ id);
        let all = [Tamper::Take, Tamper::Pop, Tamper::Clear, Tamper::Add, Tamper::Swap];
        random.once_in(self.rates.tamper).then(|| random.choose(&all))
    }

    pub(crate) fn busy(&self, id: u64) -> Option<Busy> {
        let random = &mut Random(self.seed ^ (6 << 40) ^ id);
        let all = [Busy::Blocks, Busy::CallsRayon, Busy::SpawnsThread, Busy::RunsPipeline];
        random.once_in(self.rates.busy).then(|| random.choose(&all))
    }

    pub(crate) fn then_fault(&self, id: u64) -> Option<Fault> {
        self.fault(2, id, self.rates.then)
    }

    pub(crate) fn loses_device(&self, id: u64) -> bool {
        self.fault(4, id, self.rates.loses).is_some()
    }

    /// Devices that the run is given.
    pub(crate) fn given_devices(&self) -> usize {
        match self.kind {
            Kind::Batches => 1,
            kind if kind.has_device() => self.devices,
            _ => 0,
        }
    }

    /// Devices that are used: where everything happens in turn it is the first.
    pub(crate) fn used_devices(&self) -> usize {
        let one = self.kind == Kind::Batches || self.sequential || self.place == Place::Own(0);
        if one { 1 } else { self.devices }
    }

    /// Whether nothing but items that cannot be prepared may end or change the run.
    pub(crate) fn only_prepare_fails(&self) -> bool {
        let Rates { then, device, lost, loses, odd, rows, gather, .. } = self.rates;
        let of_the_device = [device, lost, loses, odd, rows];
        let device = self.kind.has_device() && of_the_device.iter().any(|rate| *rate != NEVER);
        let then = (self.kind == Kind::Then || self.kind.is_in_a_row()) && then != NEVER;
        let source = self.source.panics_at.is_some() || self.source.hint == Hint::Panics;
        let gather = self.kind.in_bags() && gather != NEVER;
        let copies = self.last == Last::Pad && self.copies_panic;
        !(device || then || source || gather || copies || self.deadline || self.progress_panics)
    }
}

pub(crate) const POLICIES: [OnFailure; 5] = [
    OnFailure::Stop,
    OnFailure::Skip,
    OnFailure::Skip,
    OnFailure::SkipAtMost(AtMost::Count(4)),
    OnFailure::SkipAtMost(AtMost::Share(0.2)),
];

pub(crate) fn place(random: &mut Random) -> Place {
    if random.once_in(4) {
        Place::Foreign { threads: random.size(1..4), caller_inside: random.once_in(2) }
    } else {
        Place::Own(random.size(0..5))
    }
}

fn sources(random: &mut Random, documents: u64) -> Sources {
    let hints = [Hint::TooSmall, Hint::TooLarge, Hint::Endless, Hint::Absurd];
    Sources {
        hint: match random.below(16) {
            0 => Hint::Panics,
            1..8 => random.choose(&hints),
            _ => Hint::Exact,
        },
        panics_at: random.once_in(6).then(|| random.below(documents + 1)),
        goes_on: random.once_in(2),
        blocks: random.choose(&[NEVER, NEVER, NEVER, 30]),
    }
}

fn rates(random: &mut Random) -> Rates {
    Rates {
        prepare: random.choose(&[NEVER, 2, 10, 50]),
        tamper: random.choose(&[NEVER, NEVER, 3, 20]),
        busy: random.choose(&[NEVER, NEVER, NEVER, 20]),
        recycle: random.choose(&[NEVER, 10]),
        then: random.choose(&[NEVER, 10, 50]),
        odd: random.choose(&[NEVER, NEVER, NEVER, 20]),
        device: random.choose(&[NEVER, NEVER, 5, 20]),
        rows: random.choose(&[NEVER, NEVER, 10]),
        lost: random.choose(&[NEVER, NEVER, NEVER, 20]),
        loses: random.choose(&[NEVER, NEVER, NEVER, 50]),
        gather: random.choose(&[NEVER, NEVER, 10]),
    }
}

fn bombs(random: &mut Random) -> Bombs {
    let mut rate = || random.choose(&[NEVER, NEVER, NEVER, 2, 10]);
    Bombs {
        document: rate(),
        prepared: rate(),
        output: rate(),
        ticket: rate(),
        part: rate(),
        error: rate(),
        cpu: rate() == 2,
        device: rate() == 2,
        source: rate() == 2,
    }
}

fn wish(random: &mut Random) -> Wish {
    match random.below(4) {
        0 => Wish::StopAfter(random.size(0..10)),
        1 => Wish::DropAfter(random.size(0..10)),
        _ => Wish::Finish,
    }
}
