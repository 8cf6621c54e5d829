//! What one run is: its settings, its faults and its caller's wish, all from a seed.

use gapless::{AtMost, Cause, OnFailure, Order};

use crate::stages::panic_quietly;

/// Random numbers from a seed (SplitMix64, Steele and others 2014).
#[derive(Clone)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(crate) fn size(&mut self, range: std::ops::Range<u64>) -> usize {
        usize::try_from(range.start + self.below(range.end - range.start)).unwrap()
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.size(0..among.len() as u64)]
    }
}

/// How a stage fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Err,
    Panic,
}

impl Fault {
    pub(crate) fn happen<T>(self) -> Result<T, Cause> {
        match self {
            Self::Err => Err(Cause::msg("planted")),
            Self::Panic => panic_quietly(),
        }
    }
}

/// How often faults happen: once in so many calls; `u64::MAX` for never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    pub(crate) prepare: u64,
    pub(crate) recycle: u64,
    pub(crate) then: u64,
    pub(crate) device: u64,
    pub(crate) lost: u64,
    /// Documents that lose the device whenever it runs them.
    pub(crate) loses: u64,
}

/// Whether a lost device can be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rebuild {
    Never,
    /// It may fail, panic, or give a device that is lost too.
    Perhaps,
    Always,
}

/// What the caller does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Finish,
    StopAfter(usize),
    DropAfter(usize),
}

/// One run: everything about it follows from the seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) documents: u64,
    pub(crate) source_panics_at: Option<u64>,
    pub(crate) batch_size: usize,
    pub(crate) ahead: usize,
    pub(crate) workers: usize,
    pub(crate) devices: usize,
    pub(crate) depth: usize,
    pub(crate) fits: usize,
    pub(crate) ramp: bool,
    pub(crate) order: Order,
    pub(crate) last: u64,
    pub(crate) policy: OnFailure,
    pub(crate) then: bool,
    pub(crate) sequential: bool,
    pub(crate) max_wait: bool,
    pub(crate) rates: Rates,
    pub(crate) rebuild: Rebuild,
    pub(crate) wish: Wish,
    /// Whether batch size, `ahead` and ramp are chosen from measured costs.
    pub(crate) chosen: bool,
}

pub(crate) const NEVER: u64 = u64::MAX;

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let random = &mut Random(seed);
        let documents = random.choose(&[0, 1, 7, 20, 64]) + random.below(20);
        let batch_size = random.size(1..9);
        Self {
            seed,
            documents,
            source_panics_at: random.once_in(6).then(|| random.below(documents + 1)),
            batch_size,
            ahead: random.size(1..4),
            workers: random.size(0..5),
            devices: random.size(1..3),
            depth: random.size(1..4),
            fits: if random.once_in(3) { random.size(1..9) } else { usize::MAX },
            ramp: random.once_in(3),
            order: if random.once_in(3) { Order::Completion } else { Order::Source },
            last: random.below(3),
            policy: random.choose(&[
                OnFailure::Stop,
                OnFailure::Skip,
                OnFailure::Skip,
                OnFailure::SkipAtMost(AtMost::Count(4)),
                OnFailure::SkipAtMost(AtMost::Share(0.2)),
            ]),
            then: random.once_in(3),
            sequential: random.once_in(8),
            max_wait: random.once_in(8),
            rates: Rates {
                prepare: random.choose(&[NEVER, 2, 10, 50]),
                recycle: random.choose(&[NEVER, 10]),
                then: random.choose(&[NEVER, 10, 50]),
                device: random.choose(&[NEVER, NEVER, 5, 20]),
                lost: random.choose(&[NEVER, NEVER, NEVER, 20]),
                loses: random.choose(&[NEVER, NEVER, NEVER, 50]),
            },
            rebuild: random.choose(&[Rebuild::Never, Rebuild::Perhaps, Rebuild::Always, Rebuild::Always]),
            wish: match random.below(4) {
                0 => Wish::StopAfter(random.size(0..10)),
                1 => Wish::DropAfter(random.size(0..10)),
                _ => Wish::Finish,
            },
            chosen: random.once_in(4),
        }
    }

    /// Whether a fault that is rolled for each document hits this one, and how.
    pub(crate) fn fault(&self, salt: u64, id: u64, rate: u64) -> Option<Fault> {
        let random = &mut Random(self.seed ^ (salt << 40) ^ id);
        random.once_in(rate).then(|| random.choose(&[Fault::Err, Fault::Panic]))
    }

    pub(crate) fn prepare_fault(&self, id: u64) -> Option<Fault> {
        self.fault(1, id, self.rates.prepare)
    }

    pub(crate) fn then_fault(&self, id: u64) -> Option<Fault> {
        self.fault(2, id, self.rates.then)
    }

    pub(crate) fn loses_device(&self, id: u64) -> bool {
        self.fault(4, id, self.rates.loses).is_some()
    }

    /// Whether no document, batch or device fails but by its own plan.
    pub(crate) fn only_documents_fail(&self) -> bool {
        let Rates { then, device, lost, .. } = self.rates;
        (!self.then || then == NEVER) && device == NEVER && lost == NEVER && self.source_panics_at.is_none()
    }

    /// Whether nothing but documents that cannot be prepared may end or change the run.
    pub(crate) fn only_prepare_fails(&self) -> bool {
        self.only_documents_fail() && self.rates.loses == NEVER
    }
}
