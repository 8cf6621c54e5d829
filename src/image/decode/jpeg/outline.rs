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
use crate::image::decode::decoded::Seen;

/// More scans than any encoder writes; each costs a pass over all coefficients.
const MAX_SCANS: usize = 100;

/// Pixels a side from which on a picture is not small.
const SMALL: usize = 32;

/// What the markers of a JPEG file say.
#[derive(Clone, Debug)]
pub(super) struct Outline<'a> {
    pub(super) frame: Frame,
    pub(super) colors: Colors,
    /// The first EXIF block.
    pub(super) exif: Option<&'a [u8]>,
    scans: usize,
    /// Whether some of it is legal and still written by few: decoders that are made for speed read it as they like.
    odd: bool,
}

/// What is known before the outline is whole.
#[derive(Default)]
struct Markers<'a> {
    frame: Option<Frame>,
    colors: Option<Colors>,
    hints: Hints,
    exif: Option<&'a [u8]>,
    scans: usize,
    /// Components in all scans together; a sequential file has each component once.
    scanned: usize,
    /// Whether it has Huffman tables of its own.
    huffman: bool,
    /// Units between two restarts; 0 where there are none.
    interval: usize,
    odd: bool,
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
                    markers.odd |= segments.skip_scan()? != Some(markers.restarts());
                }
                (marker, content) => markers.segment(marker, content)?,
            }
        }
    }

    /// Whether everything stands in one scan, so that a row of the picture is whole long before the last.
    pub(super) fn is_one_scan(&self) -> bool {
        self.scans == 1 && !self.frame.progressive
    }

    /// Bytes that the decoder of every layout holds: a few rows of samples, or all; and the coefficients of a
    /// progressive file.
    pub(super) fn bytes(&self) -> u64 {
        let each = if self.frame.progressive { 3 } else { 1 };
        each * self.frame.samples(!self.is_one_scan())
    }

    /// Whether it is laid out as nearly all photos are, which the fast decoder reads: one scan of YCbCr, with colours
    /// as fine as the light or half as fine. It interpolates these in a way of its own, which shows in small pictures,
    /// and at the border from blocks beyond the picture, where there are any.
    pub(super) fn is_plain(&self, seen: Seen) -> bool {
        let Frame { width, height, finest, .. } = self.frame;
        let factors: Vec<_> =
            self.frame.components.iter().map(|component| (component.across, component.down)).collect();
        let sampled = match factors[..] {
            [(1, 1), (1, 1), (1, 1)] => true,
            [(1 | 2, 1 | 2), (1, 1), (1, 1)] => {
                let whole = width % (8 * finest.0) == 0 && height % (8 * finest.1) == 0;
                width.min(height) >= SMALL && (whole || !seen.border)
            }
            _ => false,
        };
        sampled && self.colors == Colors::YCbCr && self.is_one_scan() && !self.odd
    }
}

impl<'a> Markers<'a> {
    fn segment(&mut self, marker: u8, content: &'a [u8]) -> Result<(), Cause> {
        match marker {
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                if self.frame.is_some() {
                    return Err(Cause::msg("a JPEG with two frames"));
                }
                self.odd |= marker == 0xC1;
                self.frame = Some(Frame::read(marker, content)?);
            }
            0xC4 => self.huffman = true,
            0xCC => return Err(Cause::msg("a JPEG with arithmetic coding: not decoded")),
            // Steps of 16 bits.
            0xDB => self.odd |= content.first().is_some_and(|head| *head >> 4 > 0),
            0xDD => {
                let &[high, low] = content else {
                    return Err(Cause::msg("a JPEG with an odd restart interval"));
                };
                self.interval = u16::from_be_bytes([high, low]).into();
            }
            0xDE | 0xDF => return Err(Cause::msg("a hierarchical JPEG: not decoded")),
            0xE1 if content.starts_with(b"Exif\0\0") => self.exif = self.exif.or(Some(content)),
            0xE0..=0xEF if self.scans == 0 => self.hints.read(marker, content),
            _ => {}
        }
        self.odd |= self.scans > 0;
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
        Ok(())
    }

    /// Restart markers that a scan of everything has.
    fn restarts(&self) -> usize {
        let units = self.frame.as_ref().map_or(0, |frame| frame.units.0 * frame.units.1);
        units.saturating_sub(1).checked_div(self.interval).unwrap_or(0)
    }

    /// Whether a sequential file has had all its scans.
    fn complete(&self) -> bool {
        self.frame.as_ref().is_some_and(|frame| !frame.progressive && self.scanned >= frame.components.len())
    }

    fn ended(self) -> Result<Outline<'a>, Cause> {
        let whole =
            self.complete() || (self.scans > 0 && self.frame.as_ref().is_some_and(|frame| frame.progressive));
        let odd = self.odd || !self.huffman || self.contradicts();
        match (self.frame, self.colors) {
            (Some(frame), Some(colors)) if whole => {
                Ok(Outline { frame, colors, exif: self.exif, scans: self.scans, odd })
            }
            _ => Err(Cause::msg("a JPEG that ends before all its scans")),
        }
    }

    /// Whether hints and names of components do not say the same of the colours. Encoders count from 1, or from 0.
    fn contradicts(&self) -> bool {
        let ids = || self.frame.iter().flat_map(|frame| &frame.components).map(|component| component.id);
        let counted = |from: u8| (from..).zip(ids()).all(|(number, id)| number == id);
        let named = counted(1) || (counted(0) && self.hints.jfif);
        !named
            || (self.colors == Some(Colors::YCbCr)
                && self.hints.adobe.is_some_and(|transform| transform != 1))
    }
}
