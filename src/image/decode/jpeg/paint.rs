//! The picture, written row by row as soon as the samples of a row are there.

use super::color::{self, Colors};
use super::rows::Plane;
use super::wide::{Work, wide};
use crate::image::decode::decoded::Layout;

pub(super) struct Paint<'a> {
    pixels: &'a mut [u8],
    layout: Layout,
    width: usize,
    colors: Colors,
    /// The first row that is not written.
    next: usize,
    /// A row of each component at the size of the picture, and memory to make one.
    rows: Vec<Vec<u8>>,
    sums: Vec<u16>,
}

impl<'a> Paint<'a> {
    pub(super) fn new(pixels: &'a mut [u8], layout: Layout, width: usize, colors: Colors) -> Self {
        Self { pixels, layout, width, colors, next: 0, rows: Vec::new(), sums: Vec::new() }
    }

    /// Writes the rows before this one.
    pub(super) fn until<'p>(&mut self, row: usize, planes: impl Iterator<Item = &'p Plane> + Clone) {
        self.rows.resize_with(planes.clone().count(), Vec::new);
        let rows = self.pixels.len() / (self.layout.bytes() * self.width);
        for row in self.next..row.min(rows) {
            wide(Row { paint: self, row, planes: planes.clone() });
        }
    }
}

/// A row of the picture that is to be written.
struct Row<'a, 'b, P> {
    paint: &'a mut Paint<'b>,
    row: usize,
    planes: P,
}

impl<'p, P: Iterator<Item = &'p Plane>> Work for Row<'_, '_, P> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { paint, row, planes } = self;
        for (plane, samples) in planes.zip(&mut paint.rows) {
            plane.write_row(row, &mut paint.sums, samples);
        }
        let bytes = paint.layout.bytes() * paint.width;
        let output = &mut paint.pixels[row * bytes..][..bytes];
        match paint.layout {
            Layout::Rgb => color::write_row::<3>(paint.colors, &paint.rows, output.as_chunks_mut().0),
            Layout::Rgbx => color::write_row::<4>(paint.colors, &paint.rows, output.as_chunks_mut().0),
        }
        paint.next = row + 1;
    }
}
