//! The picture, written row by row as soon as the samples of a row are there.

use super::color::{self, Colors};
use super::rows::Plane;
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
        let bytes = self.layout.bytes() * self.width;
        self.rows.resize_with(planes.clone().count(), Vec::new);
        for row in self.next..row.min(self.pixels.len() / bytes) {
            for (plane, samples) in planes.clone().zip(&mut self.rows) {
                plane.write_row(row, &mut self.sums, samples);
            }
            let output = &mut self.pixels[row * bytes..][..bytes];
            match self.layout {
                Layout::Rgb => color::write_row::<3>(self.colors, &self.rows, output.as_chunks_mut().0),
                Layout::Rgbx => color::write_row::<4>(self.colors, &self.rows, output.as_chunks_mut().0),
            }
            self.next = row + 1;
        }
    }
}
