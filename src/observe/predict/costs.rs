//! What things cost.

use crate::error::Error;

/// What a document and a batch cost, in seconds. All are 0 until they are given.
///
/// ```
/// use gapless::predict::Costs;
/// let costs = Costs::default().cpu(0.010).gpu(0.002, 0.0005).caller(0.001);
/// assert_eq!((costs.cpu, costs.gpu_launch, costs.gpu_item), (0.010, 0.002, 0.0005));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Costs {
    /// Seconds inside the source's `next`, a document. Default 0: documents are there at once.
    pub source: f64,
    /// Seconds of preparation, a document, on one worker. Default 0.
    pub cpu: f64,
    /// Seconds of a device, a batch, however many items are in it: `a` of `a + b·n`. Default 0.
    pub gpu_launch: f64,
    /// Seconds of a device, an item of a batch: `b` of `a + b·n`. Default 0.
    pub gpu_item: f64,
    /// Seconds of `then`, a document, on one worker. Default `None`: there is no `then`. With 0 there is
    /// one that costs nothing: it still waits for a worker, and holds one more batch of tokens.
    pub then: Option<f64>,
    /// Seconds that the caller takes for a batch, between two calls of `next`. Default 0.
    pub caller: f64,
}

impl Costs {
    /// Seconds inside the source's `next`, a document. Default 0.
    #[must_use]
    pub fn source(self, seconds: f64) -> Self {
        Self { source: seconds, ..self }
    }

    /// Seconds of preparation, a document, on one worker. Default 0.
    #[must_use]
    pub fn cpu(self, seconds: f64) -> Self {
        Self { cpu: seconds, ..self }
    }

    /// Seconds of a device: `launch` a batch and `item` for each item of it. Default 0 and 0.
    #[must_use]
    pub fn gpu(self, launch: f64, item: f64) -> Self {
        Self { gpu_launch: launch, gpu_item: item, ..self }
    }

    /// Seconds of `then`, a document, on one worker. Default: there is no `then`.
    #[must_use]
    pub fn then(self, seconds: f64) -> Self {
        Self { then: Some(seconds), ..self }
    }

    /// Seconds that the caller takes for a batch. Default 0.
    #[must_use]
    pub fn caller(self, seconds: f64) -> Self {
        Self { caller: seconds, ..self }
    }

    /// The same with the work of the CPU half, and that of the device, so many times as much.
    pub(crate) fn times(self, cpu: f64, gpu: f64) -> Self {
        Self {
            cpu: self.cpu * cpu,
            then: self.then.map(|then| then * cpu),
            gpu_launch: self.gpu_launch * gpu,
            gpu_item: self.gpu_item * gpu,
            ..self
        }
    }

    /// A cost is a number of seconds, and no run takes centuries for one document.
    pub(super) fn check(&self) -> Result<(), Error> {
        let costs = [
            ("source", self.source),
            ("cpu", self.cpu),
            ("gpu_launch", self.gpu_launch),
            ("gpu_item", self.gpu_item),
            ("then", self.then.unwrap_or_default()),
            ("caller", self.caller),
        ];
        match costs.into_iter().find(|(_, seconds)| !(0.0..=MOST).contains(seconds)) {
            Some((name, seconds)) => {
                let reason = format!("{seconds} is no cost; give seconds from 0 to 10^9");
                Err(Error::Setting { name, reason })
            }
            None => Ok(()),
        }
    }
}

/// Seconds that one document, or one batch, may cost: about thirty years.
const MOST: f64 = 1e9;
