//! JPEG files of every legal layout.

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
mod scans;
mod script;
mod tables;

pub use layout::Layout;

/// The file of a layout.
pub fn write(layout: &Layout) -> Vec<u8> {
    file::file(layout)
}
