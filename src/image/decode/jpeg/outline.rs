//! The outline of a JPEG file: what its markers say, without decoding a pixel.
//!
//! No decoder alone is strict enough: one takes a scan that ends with the file as whole, leaves rows as they were where
//! a marker stands in the middle of a scan, and bounds the scans of progressive files only. The outline refuses these,
//! and knows size, memory, layout and orientation before any memory is taken. It is read in one pass over the file, at
//! memory speed.

use super::color::{Colors, Hints};
use super::frame::Frame;
use super::segments::{END, SCAN, Segments, truncated};
use crate::error::Cause;
use crate::image::notes::Notes;

/// More scans than any encoder writes; each costs a pass over all coefficients.
const MAX_SCANS: usize = 100;
/// As many as encoders write that try out which are best.
const USUAL_SCANS: usize = 20;
/// Samples that more scans than these may go over in all.
const MAX_PASSES: u64 = 1 << 29;

/// What an XMP packet begins with.
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// What the markers of a JPEG file say.
#[derive(Clone, Debug)]
pub(super) struct Outline<'a> {
    pub(super) frame: Frame,
    pub(super) colors: Colors,
    /// The first EXIF block, and the last XMP packet before the scans.
    pub(super) notes: Notes<'a>,
    scans: usize,
}

/// What is known before the outline is whole.
#[derive(Default)]
struct Markers<'a> {
    frame: Option<Frame>,
    colors: Option<Colors>,
    hints: Hints,
    notes: Notes<'a>,
    scans: usize,
    /// Components in all scans together; a sequential file has each component once.
    scanned: usize,
}

impl<'a> Outline<'a> {
    /// Reads the markers up to the end of the image; what stands behind it is not looked at.
    pub(super) fn read(jpeg: &'a [u8]) -> Result<Self, Cause> {
        let (mut segments, mut markers) = (Segments::of(jpeg), Markers::default());
        loop {
            match segments.next()? {
                (END, _) => return markers.ended(),
                (SCAN, content) => {
                    markers.scan(content)?;
                    segments.skip_scan()?;
                }
                (marker, content) => markers.segment(marker, content)?,
            }
        }
    }

    /// Whether everything stands in one scan, so that a row of the picture is whole long before the last.
    pub(super) fn is_one_scan(&self) -> bool {
        self.scans == 1 && !self.frame.progressive
    }

    /// Bytes that the decoder holds: a few rows of samples, or all; and coefficients, of a row of units or all.
    pub(super) fn bytes(&self) -> u64 {
        self.frame.samples(!self.is_one_scan()) + self.frame.coefficients()
    }
}

impl<'a> Markers<'a> {
    fn segment(&mut self, marker: u8, content: &'a [u8]) -> Result<(), Cause> {
        match marker {
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                if self.frame.is_some() {
                    return Err(Cause::msg("a JPEG with two frames"));
                }
                self.frame = Some(Frame::read(marker, content)?);
            }
            0xCC => return Err(Cause::msg("a JPEG with arithmetic coding: not decoded")),
            0xDD if content.len() != 2 => return Err(Cause::msg("a JPEG with an odd restart interval")),
            0xDE | 0xDF => return Err(Cause::msg("a hierarchical JPEG: not decoded")),
            0xE1 if content.starts_with(b"Exif\0\0") => self.notes.exif = self.notes.exif.or(Some(content)),
            0xE1 if content.starts_with(XMP) && self.scans == 0 => {
                self.notes.xmp = Some(&content[XMP.len()..])
            }
            0xE0..=0xEF if self.scans == 0 => self.hints.read(marker, content),
            _ => {}
        }
        Ok(())
    }

    fn scan(&mut self, content: &[u8]) -> Result<(), Cause> {
        let Some(frame) = &self.frame else { return Err(Cause::msg("a JPEG with a scan before its frame")) };
        if self.complete() {
            return Err(Cause::msg(
                "a JPEG with a scan where none may stand: all components have had theirs",
            ));
        }
        self.colors.get_or_insert_with(|| self.hints.colors(&frame.components));
        self.scans += 1;
        self.scanned += usize::from(*content.first().ok_or_else(truncated)?);
        if self.scans > MAX_SCANS {
            return Err(Cause::msg(format_args!("a JPEG with more than {MAX_SCANS} scans")));
        }
        let (before, passes) = (self.scans - 1, self.scans as u64 * frame.samples(true));
        if self.scans > USUAL_SCANS && passes > MAX_PASSES {
            return Err(Cause::msg(format_args!("a JPEG with more than {before} scans of so many samples")));
        }
        Ok(())
    }

    /// Whether a sequential file has had all its scans.
    fn complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| !frame.progressive && self.scanned >= frame.components.len())
    }

    fn ended(self) -> Result<Outline<'a>, Cause> {
        let whole =
            self.complete() || (self.scans > 0 && self.frame.as_ref().is_some_and(|frame| frame.progressive));
        match (self.frame, self.colors) {
            (Some(frame), Some(colors)) if whole => {
                Ok(Outline { frame, colors, notes: self.notes, scans: self.scans })
            }
            _ => Err(Cause::msg("a JPEG that ends before all its scans")),
        }
    }
}
