//! What one run of `embed` is, all from a seed.

use std::time::Duration;

use gapless::doc::{Doc, Tensor};
use gapless::{AtMost, OnFailure, Stage};
use ndarray::{Array1, Array3, ArrayD};

use crate::plan::{Fault, NEVER, POLICIES, Place, place};
use crate::random::Random;

/// Which output becomes the embedding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    First,
    Mean,
    /// There is none of that name, so that no document can be embedded.
    Missing,
}

/// What cannot work, so that nothing is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    BatchSize,
    Ahead,
    /// The stage gives bytes, and the program takes floats.
    Program,
}

/// What is wrong with a document, or with what a stage makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Odd {
    NoTensor,
    Shape,
    NoAxes,
    /// Numbers that the program does not take.
    Numbers,
}

/// How a prepared document lies about its array, when it is asked for it for the so manieth time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    Panic,
    Shape,
    /// It says that it has another number of arrays.
    Count(usize),
}

/// What a stage does with the document that it is lent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tamper {
    TakesContent,
    /// Another is in its place.
    Swaps,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub(super) odd: u64,
    pub(super) prepare: u64,
    pub(super) tamper: u64,
    pub(super) lie: u64,
    /// It blocks until it is interrupted.
    pub(super) blocks: u64,
    pub(super) recycle: u64,
    /// Prepared documents, and errors, that panic when they are dropped.
    pub(super) bomb: u64,
}

/// One run: everything about it follows from the seed.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(super) seed: u64,
    pub(super) documents: u64,
    /// Whether user code prepares, and not the face itself.
    pub(super) own_stage: bool,
    pub(super) batch_size: usize,
    pub(super) ahead: usize,
    /// Whether both are chosen from measured costs.
    pub(super) chosen: bool,
    pub(super) place: Place,
    pub(super) policy: OnFailure,
    pub(super) output: Output,
    pub(super) broken: Option<Broken>,
    pub(super) deadline: Option<Duration>,
    /// `None` for as long as it takes.
    pub(super) grace: Option<Duration>,
    pub(super) progress_panics_at: Option<usize>,
    pub(super) interrupt_panics: bool,
    pub(super) rates: Rates,
}

impl Plan {
    pub(crate) fn new(seed: u64) -> Self {
        let random = &mut Random(seed);
        let documents = random.choose(&[0, 1, 7, 20, 64]) + random.below(20);
        let own_stage = !random.once_in(3);
        let broken = random.choose(&[Broken::BatchSize, Broken::Ahead, Broken::Program]);
        let rate = |random: &mut Random| random.choose(&[NEVER, NEVER, 2, 10, 50]);
        let rarely = |random: &mut Random| random.choose(&[NEVER, NEVER, NEVER, NEVER, 20]);
        Self {
            seed,
            documents,
            own_stage,
            batch_size: random.size(1..9),
            ahead: random.size(1..4),
            chosen: random.once_in(4),
            place: place(random),
            policy: random.choose(&POLICIES),
            output: random.choose(&[
                Output::First,
                Output::Mean,
                Output::Mean,
                Output::Mean,
                Output::Missing,
            ]),
            broken: (random.once_in(16) && (own_stage || broken != Broken::Program)).then_some(broken),
            deadline: random.once_in(6).then(|| Duration::from_micros(random.choose(&[0, 200, 1000]))),
            grace: random.choose(&[None, None, None, Some(Duration::ZERO), Some(Duration::from_secs(9))]),
            progress_panics_at: random.once_in(6).then(|| random.size(1..30)),
            interrupt_panics: random.once_in(8),
            rates: Rates {
                odd: rate(random),
                prepare: rate(random),
                tamper: rate(random),
                lie: rarely(random),
                blocks: rarely(random),
                recycle: rate(random),
                bomb: rate(random),
            },
        }
    }

    fn roll(&self, salt: u64, place: u64, rate: u64) -> Option<Random> {
        let mut random = Random(self.seed ^ (salt << 40) ^ place);
        random.once_in(rate).then_some(random)
    }

    pub(super) fn odd(&self, place: u64) -> Option<Odd> {
        let all: &[Odd] = match self.own_stage {
            true => &[Odd::Shape, Odd::NoAxes],
            false => &[Odd::NoTensor, Odd::Shape, Odd::NoAxes, Odd::Numbers],
        };
        self.roll(1, place, self.rates.odd).map(|mut random| random.choose(all))
    }

    pub(super) fn prepare_fault(&self, place: u64) -> Option<Fault> {
        let mut random = self.roll(2, place, self.rates.prepare).filter(|_| self.own_stage)?;
        Some(random.choose(&[Fault::Err, Fault::Unshowable, Fault::Panic]))
    }

    pub(super) fn tamper(&self, place: u64) -> Option<Tamper> {
        let mut random = self.roll(3, place, self.rates.tamper)?;
        Some(random.choose(&[Tamper::TakesContent, Tamper::Swaps]))
    }

    /// How it lies, and when.
    pub(super) fn lie(&self, place: u64) -> Option<(Lie, u32)> {
        let mut random = self.roll(4, place, self.rates.lie)?;
        let lie = random.choose(&[Lie::Panic, Lie::Shape, Lie::Count(0), Lie::Count(2)]);
        Some((lie, random.below(4) as u32))
    }

    pub(super) fn blocks(&self, place: u64) -> bool {
        self.roll(5, place, self.rates.blocks).is_some()
    }

    pub(super) fn recycle_panics(&self, place: u64) -> bool {
        self.roll(6, place, self.rates.recycle).is_some()
    }

    pub(super) fn bomb(&self, salt: u64, place: u64) -> bool {
        self.roll(7 + salt, place, self.rates.bomb).is_some()
    }

    /// Whether somebody else than whoever blocks ends the run by its deadline.
    pub(super) fn is_ended_by_others(&self) -> bool {
        self.deadline.is_some() && matches!(self.place, Place::Own(1..))
    }

    /// Where a document fails, where it does for itself.
    pub(super) fn fails_in(&self, place: u64) -> Option<Stage> {
        if self.prepare_fault(place).is_some() || self.odd(place) == Some(Odd::NoTensor) {
            Some(Stage::Cpu)
        } else if self.odd(place).is_some() {
            Some(Stage::Gpu)
        } else {
            (self.output == Output::Missing).then_some(Stage::Then)
        }
    }

    /// Whether every failure is that of a document for itself, so that it is known which fail.
    pub(super) fn is_known(&self) -> bool {
        self.deadline.is_none() && (!self.own_stage || self.rates.lie == NEVER)
    }

    /// Where the run ends, if it does; `None` where that is not known.
    pub(super) fn ends_at(&self) -> Option<Option<u64>> {
        let mut failing = (0..self.documents).filter(|place| self.fails_in(*place).is_some());
        match self.policy {
            // Of one batch the device refuses some before any row of it fails.
            OnFailure::Stop if self.output == Output::Missing && self.rates.odd != NEVER => None,
            OnFailure::Stop => Some(failing.next()),
            OnFailure::Skip => Some(None),
            // Which of those of one batch is one too many is known where all fail in one place.
            OnFailure::SkipAtMost(AtMost::Count(most)) => match failing.nth(most as usize) {
                None => Some(None),
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// A pixel of a document, and its embedding.
    fn value(place: u64) -> u8 {
        (place * 7 % 251) as u8
    }

    pub(super) fn pixels(&self, place: u64) -> ArrayD<u8> {
        match self.odd(place) {
            Some(Odd::NoAxes) => ArrayD::zeros(Vec::new()),
            Some(_) => ArrayD::zeros(vec![4, 5, 3]),
            None => Array3::from_elem((4, 4, 3), Self::value(place)).into_dyn(),
        }
    }

    pub(super) fn document(&self, place: u64) -> Doc {
        let mut document = match (self.own_stage, self.odd(place)) {
            (true, _) | (_, Some(Odd::NoTensor)) => Doc::from_text("no tensor"),
            (false, Some(Odd::Numbers)) => Doc::from_tensor(Array3::<i16>::zeros((4, 4, 3))),
            (false, _) => Doc::from_tensor(self.pixels(place)),
        };
        document.id = place.to_string();
        document
    }

    pub(super) fn embedding(&self, place: u64) -> Tensor {
        let value = f32::from(Self::value(place));
        match self.output {
            Output::First => Array3::from_elem((3, 4, 4), value).into(),
            Output::Mean | Output::Missing => Array1::from_elem(3, value).into(),
        }
    }
}
