//! Photos: from a path or bytes to a u8 tensor of a fixed shape.
//!
//! [`Loader`] reads a file, decodes it, applies its orientation, crops and resizes, into a tensor
//! [height, width, 3] (RGB, 0 to 255) that is recycled when its batch is done. It never normalises:
//! bytes go to the device as they are, a quarter of what floats would be, and a shader does that.
//!
//! # What each format becomes
//! The first bytes of a photo say what it is; its name says nothing. Everything becomes RGB of 8 bits.
//!
//! | | |
//! |---|---|
//! | JPEG | baseline and progressive, of every layout, strictly: a truncated file is a failure, never a half-grey photo |
//! | PNG | all colour types and depths, interlaced or not; checksums of pixels are checked; an animation gives its default image |
//! | WebP | lossy and lossless; of an animation the first frame |
//! | GIF | the first frame on its canvas, which is as large as screen and frame; where the frame leaves it, it has the transparent colour, or the first |
//! | grey | repeated three times |
//! | alpha | dropped; a transparent pixel keeps the colour that is stored under it |
//! | palette | looked up |
//! | 16 bits | the high byte, of grey and of colours |
//! | CMYK, YCCK | as Adobe writes them (inverted), multiplied out: R = C · K / 255 |
//! | colour profile | ignored, and never inflated |
//! | EXIF orientation | applied, wherever it stands |
//! | XMP orientation | applied where EXIF has none, as Pillow does; a packet that is compressed is not looked at |
//! | notes | text, profiles, EXIF, comments: where they are damaged, missing or unknown, the pixels are the same |
//!
//! These are the conversions of Pillow's `convert("RGB")`, and the tests compare with it; but for grey of 16 bits, of
//! which Pillow makes white whatever is above 255. A JPEG has
//! no checksum: a flipped bit, or a scan that was closed too early by whoever cut the file, cannot be told.
//!
//! What is not decoded is a failure that says so. Of JPEGs these are arithmetic coding, 12 bits, lossless and
//! hierarchical ones, two components, a height that stands behind the first scan (DNL), samples that are no whole
//! number of times coarser than the finest, more than 100 scans or, where the photo is large, more than 20, and
//! progressive ones whose ten lowest coefficients never come to their last bit, where others guess.
//!
//! # Limits
//! A photo of more than 8192 pixels a side, or of more than 128 MiB to decode, is a failure, which comes
//! from its header before memory is taken. That admits a baseline JPEG of 44 megapixels and a
//! progressive one of 17. Only regular files are read, up to 64 MiB, without waiting for anything but the disk.
//!
//! # Decoder and resizer
//! JPEGs of every layout are read by a decoder of this crate, to the last bit as libjpeg reads them, and in the time
//! that zune-jpeg takes. The resizer was chosen by measurement, on two cores with AVX-512, for JPEGs of 320×240 to
//! 640×480 and one thread: from the middle of them to 224², bicubic, fast_image_resize takes 0.26 ms, pic-scale 0.23
//! (for a newer compiler and more packages) and resize 1.28. Four bytes a pixel make decoding 4 % and resizing 9 %
//! faster.
//! A bench of the repository, `photos`, compares the loader with the decoder alone.
//!
//! # Images that are tensors already
//! [`normalize`] and [`denormalize`], [`move_channel`], [`resize`] and [`resample`], [`sliding_windows`] and
//! [`encode`] are plain functions on arrays; on documents they are methods of `Doc` (the feature `doc`).

// Uses: `error`, `stage`. Used by: whoever runs a pipeline on photos.

mod allowance;
mod channels;
mod crop;
mod decode;
mod encode;
mod exif;
mod loader;
mod normalize;
mod notes;
mod orient;
mod photo;
mod pixels;
mod resize;
mod scale;
mod scratch;
mod windows;

pub use channels::{axis_of, move_channel};
pub use encode::{Format, encode};
pub use loader::Loader;
pub use normalize::{Normalization, denormalize, normalize};
pub use photo::{Photo, PhotoSource};
pub use resize::Filter;
pub use scale::{Pixel, Sampling, resample, resize};
pub use windows::{Windows, sliding_windows};
