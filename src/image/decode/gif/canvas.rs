//! The canvas of a GIF: its frames one over the other, as Pillow shows them.
//!
//! It is as large as the screen and every frame so far, so no part of a frame is beside it.

use std::ops::Range;

use super::blocks::{Blocks, Disposal, Frame};
use super::rows;
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::decode::decoded::blank;

type Color = [u8; 3];

pub(super) struct Canvas {
    /// RGB without gaps; nothing before the first frame.
    pixels: Vec<u8>,
    sides: (u32, u32),
    /// Frames that were shown.
    shown: usize,
    /// What the last frame said of its place.
    disposal: Disposal,
    left: Option<Left>,
}

/// What is to be done with the place of the last frame before the next is shown.
struct Left {
    place: Place,
    with: With,
}

enum With {
    Color(Color),
    /// What stood there before, row by row.
    Pixels(Vec<Color>),
}

/// A part of the canvas.
struct Place {
    columns: Range<usize>,
    rows: Range<usize>,
}

impl Place {
    fn of(frame: &Frame<'_>) -> Self {
        let ((left, top), (width, height)) = (frame.at, frame.size);
        Self { columns: left..left + width, rows: top..top + height }
    }
}

impl Canvas {
    /// An empty one, in memory that was used before.
    pub(super) fn new(mut pixels: Vec<u8>) -> Self {
        pixels.clear();
        Self { pixels, sides: (0, 0), shown: 0, disposal: Disposal::Keep, left: None }
    }

    pub(super) fn sides(&self) -> (u32, u32) {
        self.sides
    }

    pub(super) fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    pub(super) fn into_pixels(self) -> Vec<u8> {
        self.pixels
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shown == 0
    }

    /// Shows the next frame, if that many canvases may be held at once.
    pub(super) fn show(
        &mut self,
        frame: &Frame<'_>,
        blocks: &Blocks<'_>,
        allowance: &Allowance,
    ) -> Result<(), Cause> {
        let (extent, before) = (frame.extent(), if self.is_empty() { blocks.screen } else { self.sides });
        let sides = (extent.0.max(before.0), extent.1.max(before.1));
        // Canvases, and what is kept of the one before.
        let canvases = if self.is_empty() { 1 } else { self.shown + 2 };
        allowance.admit(sides, 3 * canvases, 0)?;
        let colors = frame.palette.colors();
        if let Some(left) = self.left.take() {
            self.clear(left);
        }
        self.left = self.leave(frame, blocks, &colors)?;
        if self.is_empty() {
            self.start(sides, colors[usize::from(frame.transparent.unwrap_or(0))])?;
        } else if sides != self.sides {
            self.grow(sides, if frame.transparent.is_some() { [0; 3] } else { colors[0] })?;
        }
        // A transparent pixel leaves what is there, and in the first frame nothing is.
        let transparent = frame.transparent.filter(|_| !self.is_empty());
        let place = Place::of(frame);
        rows::read(frame, |row, indices| {
            for (pixel, index) in self.row(place.rows.start + row, &place).iter_mut().zip(indices) {
                if Some(*index) != transparent {
                    *pixel = colors[usize::from(*index)];
                }
            }
        })?;
        self.shown += 1;
        Ok(())
    }

    /// What is left to do when this frame was shown.
    fn leave(
        &mut self,
        frame: &Frame<'_>,
        blocks: &Blocks<'_>,
        colors: &[Color; 256],
    ) -> Result<Option<Left>, Cause> {
        self.disposal = frame.disposal.unwrap_or(self.disposal);
        // A place is cleared to the first colour where the file names one that it does not have.
        let known = |index: u8| self.is_empty() || usize::from(index) < frame.palette.len();
        let color = |index: u8| With::Color(colors[if known(index) { index.into() } else { 0 }]);
        let with = match self.disposal {
            Disposal::Keep => None,
            Disposal::Background => Some(color(frame.transparent.unwrap_or(blocks.background))),
            Disposal::Previous if self.is_empty() => frame.transparent.map(color),
            Disposal::Previous => Some(With::Pixels(self.copy(&Place::of(frame))?)),
        };
        Ok(with.map(|with| Left { place: Place::of(frame), with }))
    }

    fn clear(&mut self, Left { place, with }: Left) {
        let width = place.columns.len();
        for (at, row) in place.rows.clone().enumerate() {
            match &with {
                With::Color(color) => self.row(row, &place).fill(*color),
                With::Pixels(pixels) => {
                    self.row(row, &place).copy_from_slice(&pixels[at * width..][..width]);
                }
            }
        }
    }

    /// The pixels there; black where the canvas has to grow first.
    fn copy(&self, place: &Place) -> Result<Vec<Color>, Cause> {
        let mut pixels = Vec::new();
        pixels.try_reserve_exact(place.columns.len() * place.rows.len())?;
        let width = self.sides.0 as usize;
        for row in place.rows.clone() {
            let row = self.pixels.as_chunks().0.get(row * width..(row + 1) * width).unwrap_or_default();
            pixels.extend(place.columns.clone().map(|column| row.get(column).copied().unwrap_or_default()));
        }
        Ok(pixels)
    }

    fn start(&mut self, sides: (u32, u32), color: Color) -> Result<(), Cause> {
        blank(&mut self.pixels, sides, 3)?;
        self.sides = sides;
        self.pixels.as_chunks_mut().0.fill(color);
        Ok(())
    }

    fn grow(&mut self, sides: (u32, u32), color: Color) -> Result<(), Cause> {
        let (before, width) = (std::mem::take(&mut self.pixels), 3 * self.sides.0 as usize);
        self.start(sides, color)?;
        for (row, before) in
            self.pixels.chunks_exact_mut(3 * sides.0 as usize).zip(before.chunks_exact(width))
        {
            row[..width].copy_from_slice(before);
        }
        Ok(())
    }

    /// The pixels of a row within a part of the canvas.
    fn row(&mut self, row: usize, place: &Place) -> &mut [Color] {
        let width = self.sides.0 as usize;
        &mut self.pixels.as_chunks_mut().0[row * width..][..width][place.columns.clone()]
    }
}
