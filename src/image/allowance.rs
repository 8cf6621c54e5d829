//! What a photo may ask for before any memory is taken for it.

use crate::error::Cause;
use crate::file::{Most, Reach, TIMEOUT};

/// What one photo may take. A limit of 0 is none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// Pixels a side.
    pub(crate) side: u32,
    /// Bytes that the decoded photo takes, with what its decoder holds beside it.
    pub(crate) decoded: usize,
    /// Bytes of the file.
    pub(crate) file: u64,
    /// Bytes of scratch that a call keeps for the next; `None` where that is what decoding may take.
    pub(crate) kept: Option<usize>,
}

/// Bytes to decode a photo where nothing else is said.
const DECODED: usize = 128 << 20;

impl Default for Allowance {
    fn default() -> Self {
        Self { side: 8192, decoded: DECODED, file: 64 << 20, kept: None }
    }
}

impl Allowance {
    /// Bytes of scratch that a call may keep for the next; bounded also where decoding is not.
    pub(crate) fn kept(&self) -> usize {
        self.kept.unwrap_or(if self.decoded > 0 { self.decoded } else { DECODED })
    }

    /// Whether a photo of this size may be decoded when that takes `bytes` a pixel, and as many as `beside`.
    pub(crate) fn admit(&self, (width, height): (u32, u32), bytes: usize, beside: u64) -> Result<(), Cause> {
        if width == 0 || height == 0 {
            return Err(Cause::msg(format_args!("the photo is empty: {width}×{height} pixels")));
        }
        if self.side > 0 && width.max(height) > self.side {
            return Err(Cause::msg(format_args!(
                "{width}×{height} pixels are more than the limit of {} a side: see `max_side`",
                self.side
            )));
        }
        let pixels = u64::from(width) * u64::from(height);
        self.admit_decoded(pixels.saturating_mul(bytes as u64).saturating_add(beside))
    }

    fn admit_decoded(&self, needed: u64) -> Result<(), Cause> {
        let limit = if self.decoded > 0 { self.decoded } else { isize::MAX as usize };
        if needed > limit as u64 {
            return Err(Cause::msg(format_args!(
                "decoding takes {} MiB, more than the limit of {} MiB: see `max_decoded`",
                needed.div_ceil(1 << 20),
                limit >> 20
            )));
        }
        Ok(())
    }

    /// Bytes that are read of a file.
    pub(crate) fn most(&self) -> Most {
        Most { bytes: self.file, setting: "max_file" }
    }

    /// How far an address may go: a server may send as much as a file may have.
    pub(crate) fn reach(&self) -> Reach {
        Reach { most: self.most(), most_fetched: self.most(), timeout: TIMEOUT }
    }
}
