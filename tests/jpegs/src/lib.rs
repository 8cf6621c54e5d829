//! JPEG files of every legal layout, each made from a seed.
#![forbid(unsafe_code)]

mod bits;
mod choose;
mod dct;
mod describe;
mod file;
mod geometry;
mod huffman;
mod layout;
mod markers;
mod pixels;
mod progressive;
mod random;
mod scans;
mod script;
mod tables;

pub use layout::Layout;

/// The file of a layout.
pub fn write(layout: &Layout) -> Vec<u8> {
    file::file(layout)
}
