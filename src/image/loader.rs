//! The loader: its settings, and the road of one photo through it.

use std::path::Path;

use ndarray::Array3;

use super::allowance::Allowance;
use super::crop;
use super::decode::{Decoded, Layout, decode, decode_frames, is_gif};
use super::photo::{Photo, PhotoSource};
use super::pixels;
use super::resize::{Filter, resize};
use super::scratch::{Pool, Scratch, black, grow};
use crate::error::Cause;
use crate::file::{address_name, fetch, name, read_into};
use crate::stage::CpuStage;
use gapless_resize::Region;

/// Tensors that are kept for use again: more than a run has in flight at its default settings.
const KEPT_TENSORS: usize = 512;

/// Pixels of a side of a tensor at most: those of the largest JPEG. The resizer's own memory grows with a
/// side, and it ends the process where there is none.
const LONGEST_SIDE: u32 = 65_535;

/// A CPU stage that turns photos into u8 tensors of one shape, [height, width, 3], RGB.
///
/// It prepares every document that is a [`Photo`], and can be used without a pipeline: see
/// [`load`](Self::load) and [`decode`](Self::decode). See the [module](super) for what each format
/// becomes.
///
/// ```
/// use gapless::CpuStage;
/// use gapless::image::{Filter, Loader};
/// # use std::path::PathBuf;
/// # fn main() -> Result<(), gapless::Cause> {
/// let loader = Loader::rgb8(224, 224).center_crop(0.875).filter(Filter::Bicubic);
/// let tensor = loader.prepare(&mut PathBuf::from("photos/coffee.jpg"))?;
/// assert_eq!(tensor.dim(), (224, 224, 3));
/// # Ok(()) }
/// ```
///
/// A clone has the same settings, and memory of its own; an `Arc` of one loader is a stage too, and its runs share
/// that memory.
#[derive(Clone, Debug)]
#[must_use]
pub struct Loader {
    /// Width and height; `None` where the photo's own is kept.
    sides: (Option<u32>, Option<u32>),
    share: f64,
    filter: Filter,
    allowance: Allowance,
    kept_tensors: usize,
    scratch: Pool<Scratch>,
    tensors: Pool<Array3<u8>>,
}

impl Loader {
    /// Tensors of `width` × `height` pixels, RGB: [height, width, 3].
    ///
    /// Neither has a default. 0 cannot work, nor can more than 65,535: every photo is then a failure that
    /// says so.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// # fn main() -> Result<(), gapless::Cause> {
    /// let tensor = Loader::rgb8(320, 240).load("photos/coffee.jpg")?;
    /// assert_eq!(tensor.dim(), (240, 320, 3));
    /// # Ok(()) }
    /// ```
    pub fn rgb8(width: u32, height: u32) -> Self {
        Self {
            sides: (Some(width), Some(height)),
            share: 0.0,
            filter: Filter::default(),
            allowance: Allowance::default(),
            kept_tensors: KEPT_TENSORS,
            scratch: Pool::default(),
            tensors: Pool::default(),
        }
    }

    /// Tensors of each photo's own size, RGB: [height, width, 3].
    ///
    /// Where only one side matters, give that: the other keeps the photo's own, and the aspect ratio
    /// changes. Tensors of different shapes are not kept for use again.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// # fn main() -> Result<(), gapless::Cause> {
    /// assert_eq!(Loader::own_size().load("photos/coffee.jpg")?.dim(), (400, 600, 3));
    /// assert_eq!(Loader::own_size().width(60).load("photos/coffee.jpg")?.dim(), (400, 60, 3));
    /// # Ok(()) }
    /// ```
    pub fn own_size() -> Self {
        Self { sides: (None, None), ..Self::rgb8(1, 1) }
    }

    /// The width of the tensors, in pixels.
    pub fn width(self, pixels: u32) -> Self {
        Self { sides: (Some(pixels), self.sides.1), ..self }
    }

    /// The height of the tensors, in pixels.
    pub fn height(self, pixels: u32) -> Self {
        Self { sides: (self.sides.0, Some(pixels)), ..self }
    }

    /// Takes only the middle of each photo: the largest centred box with the tensor's aspect ratio,
    /// times `share`, which is above 0 and at most 1. For a square tensor that is a square of `share`
    /// times the short side.
    ///
    /// The default is 0: the whole photo is resized to the tensor, whatever becomes of its aspect ratio.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// # fn main() -> Result<(), gapless::Cause> {
    /// let tensor = Loader::rgb8(224, 224).center_crop(0.875).load("photos/rocket.jpg")?;
    /// # assert_eq!(tensor.dim(), (224, 224, 3));
    /// # Ok(()) }
    /// ```
    pub fn center_crop(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// How pixels are resized; [`Filter::Bilinear`] by default.
    ///
    /// ```
    /// # use gapless::image::{Filter, Loader};
    /// let loader = Loader::rgb8(224, 224).filter(Filter::Bicubic);
    /// # let _ = loader;
    /// ```
    pub fn filter(self, filter: Filter) -> Self {
        Self { filter, ..self }
    }

    /// A photo with a longer side, in pixels, is a failure; 8192 by default, 0 for no limit.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// let cause = Loader::rgb8(8, 8).max_side(500).load("photos/coffee.jpg").unwrap_err();
    /// assert!(cause.to_string().contains("600×400 pixels are more than the limit of 500"));
    /// ```
    pub fn max_side(mut self, pixels: u32) -> Self {
        self.allowance.side = pixels;
        self
    }

    /// A photo that takes more bytes to decode, pixels and decoder together, is a failure; 128 MiB by
    /// default, 0 for no limit.
    ///
    /// A pixel takes 3 or 4 bytes in a JPEG, and each of its samples (1.5 in most photos) one more in one of several
    /// scans and three in a progressive one; 3 in a GIF, 4 in a PNG, 8 in a WebP and 12 in an animated one. So the default
    /// is enough for a baseline JPEG of 44 megapixels and a progressive one of 17.
    ///
    /// It is also what a call keeps at most for the next one, where 0 stands for the default: a loader
    /// holds that much for every call that ran at once, and its kept tensors.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// let cause = Loader::rgb8(8, 8).max_decoded(1 << 19).load("photos/coffee.jpg").unwrap_err();
    /// assert!(cause.to_string().contains("decoding takes 1 MiB"));
    /// ```
    pub fn max_decoded(mut self, bytes: usize) -> Self {
        self.allowance.decoded = bytes;
        self
    }

    /// A file with more bytes is a failure and is not read; 64 MiB by default, 0 for no limit.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// let cause = Loader::rgb8(8, 8).max_file(1_000).load("photos/coffee.jpg").unwrap_err();
    /// assert!(cause.to_string().contains("more than the limit of 1000 a file"));
    /// ```
    pub fn max_file(mut self, bytes: u64) -> Self {
        self.allowance.file = bytes;
        self
    }

    /// Tensors kept for use again after they came back; 512 by default, 0 for none.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// let loader = Loader::rgb8(224, 224).kept_tensors(64);
    /// # let _ = loader;
    /// ```
    pub fn kept_tensors(self, tensors: usize) -> Self {
        Self { kept_tensors: tensors, ..self }
    }

    /// Bytes of scratch that a call keeps for the next.
    #[cfg(feature = "doc")]
    pub(crate) fn kept_scratch(mut self, bytes: usize) -> Self {
        self.allowance.kept = Some(bytes);
        self
    }

    /// Loads the photo in a file.
    ///
    /// # Errors
    /// Names the path and why: the file cannot be read or is no file, its photo is damaged, of no known
    /// format, or over a limit.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// let cause = Loader::rgb8(224, 224).load("photos").unwrap_err();
    /// # #[cfg(unix)]
    /// assert_eq!(cause.to_string(), "photos: is a directory, not a file");
    /// ```
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Array3<u8>, Cause> {
        self.with(PhotoSource::Path(path.as_ref()), |photo, scratch| self.tensor(photo, scratch))
    }

    /// Decodes a photo as it would stand in a file.
    ///
    /// # Errors
    /// The photo is damaged, of no known format, or over a limit.
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// # fn main() -> Result<(), gapless::Cause> {
    /// let bytes = std::fs::read("photos/coffee.jpg")?;
    /// assert_eq!(Loader::rgb8(224, 224).decode(&bytes)?.dim(), (224, 224, 3));
    /// # Ok(()) }
    /// ```
    pub fn decode(&self, photo: &[u8]) -> Result<Array3<u8>, Cause> {
        self.with(PhotoSource::Bytes(photo), |photo, scratch| self.tensor(photo, scratch))
    }

    /// Loads every frame of a photo: several of an animated GIF, one of anything else.
    ///
    /// A frame is the whole canvas as it is shown then: what the GIF says is left, cleared to black, or
    /// put back between frames is done. All frames together are held against
    /// [`max_decoded`](Self::max_decoded).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// ```
    /// # use gapless::image::Loader;
    /// # fn main() -> Result<(), gapless::Cause> {
    /// assert_eq!(Loader::own_size().frames("photos/coffee.jpg")?.len(), 1);
    /// # Ok(()) }
    /// ```
    pub fn frames(&self, photo: impl Photo) -> Result<Vec<Array3<u8>>, Cause> {
        self.with(photo.source(), |photo, scratch| self.all(photo, scratch))
    }

    /// Works on the bytes of a photo, wherever they are. An error names the file or the address.
    fn with<R>(
        &self,
        source: PhotoSource<'_>,
        work: impl FnOnce(&[u8], &mut Scratch) -> Result<R, Cause>,
    ) -> Result<R, Cause> {
        self.scratch.lend(self.allowance.kept(), |scratch| {
            let mut file = std::mem::take(&mut scratch.file);
            let result = match source {
                PhotoSource::Path(path) => read_into(path, self.allowance.most(), &mut file)
                    .and_then(|()| work(&file, scratch).map_err(|cause| cause.context(name(path)))),
                PhotoSource::Uri(uri) => fetch(uri, &self.allowance.reach(), &mut file)
                    .and_then(|()| work(&file, scratch).map_err(|cause| cause.context(address_name(uri)))),
                PhotoSource::Bytes(bytes) => {
                    self.allowance.most().admit(bytes.len() as u64).and_then(|()| work(bytes, scratch))
                }
                PhotoSource::Missing => Err(Cause::msg("the document names no photo")),
            };
            scratch.file = file;
            result
        })
    }

    fn all(&self, photo: &[u8], scratch: &mut Scratch) -> Result<Vec<Array3<u8>>, Cause> {
        if !is_gif(photo) {
            return Ok(vec![self.tensor(photo, scratch)?]);
        }
        self.check()?;
        let mut tensors = Vec::new();
        decode_frames(photo, &self.allowance, |frame, canvas| {
            scratch.pixels.clear();
            scratch.pixels.extend_from_slice(canvas);
            tensors.push(self.fitted(frame, scratch)?);
            Ok(())
        })?;
        Ok(tensors)
    }

    fn tensor(&self, photo: &[u8], scratch: &mut Scratch) -> Result<Array3<u8>, Cause> {
        self.check()?;
        self.fitted(decode(photo, &self.allowance, &mut scratch.pixels)?, scratch)
    }

    fn fitted(&self, decoded: Decoded, scratch: &mut Scratch) -> Result<Array3<u8>, Cause> {
        let upright = decoded.orientation.sides(decoded.sides);
        let wanted = (self.sides.0.unwrap_or(upright.0), self.sides.1.unwrap_or(upright.1));
        let region = crop::region(upright, wanted, self.share);
        let sides = (self.sides.0.unwrap_or(region.width), self.sides.1.unwrap_or(region.height));
        let mut tensor = match self.shape() {
            Some(shape) => self.tensors.tensor(shape)?,
            None => black((sides.1 as usize, sides.0 as usize, 3))?,
        };
        match self.fit(decoded, scratch, (region, sides), &mut tensor) {
            Ok(()) => Ok(tensor),
            Err(cause) => {
                self.keep(tensor);
                Err(cause)
            }
        }
    }

    fn keep(&self, used: Array3<u8>) {
        if let Some(shape) = self.shape() {
            self.tensors.keep(used, shape, self.kept_tensors);
        }
    }

    /// Whether the settings can work.
    fn check(&self) -> Result<(), Cause> {
        let sides = [self.sides.0, self.sides.1];
        if sides.contains(&Some(0)) {
            return Err(Cause::msg("rgb8: a tensor has at least one pixel a side"));
        }
        if sides.into_iter().flatten().any(|side| side > LONGEST_SIDE) {
            let [width, height] = sides.map(|side| side.map_or("own".into(), |side| side.to_string()));
            return Err(Cause::msg(format_args!(
                "rgb8: {width}×{height} pixels are more than the {LONGEST_SIDE} a side that a tensor can have"
            )));
        }
        if !(0.0..=1.0).contains(&self.share) {
            return Err(Cause::msg(format_args!("center_crop: {} is not between 0 and 1", self.share)));
        }
        Ok(())
    }

    /// The shape that all tensors have; `None` where each has its photo's.
    fn shape(&self) -> Option<(usize, usize, usize)> {
        let (width, height) = (self.sides.0?, self.sides.1?);
        Some((height as usize, width as usize, 3))
    }

    /// Crops, resizes, and turns last, when there is less to turn.
    fn fit(
        &self,
        decoded: Decoded,
        scratch: &mut Scratch,
        (region, sides): (Region, (u32, u32)),
        tensor: &mut Array3<u8>,
    ) -> Result<(), Cause> {
        let Decoded { sides: stored_sides, layout, orientation } = decoded;
        let region = orientation.stored(region, stored_sides);
        let Scratch { pixels: decoded_pixels, resized, resizer, .. } = scratch;
        let tensor = tensor.as_slice_mut().ok_or_else(|| Cause::msg("a tensor with gaps"))?;
        let mut resize = |target: &mut [u8]| {
            let target = (orientation.sides(sides), target);
            resize(resizer, self.filter, (decoded, decoded_pixels), region, target)
        };
        let whole = Region { left: 0, top: 0, width: stored_sides.0, height: stored_sides.1 };
        let same_size = region == whole && orientation.sides(sides) == stored_sides;
        if layout == Layout::Rgb && orientation.is_upright() && !same_size {
            return resize(tensor);
        }
        let sized: &[u8] = if same_size {
            decoded_pixels
        } else {
            grow(resized, tensor.len() / 3 * layout.bytes())?;
            resize(resized)?;
            resized
        };
        match (layout, orientation.is_upright()) {
            (Layout::Rgb, true) => tensor.copy_from_slice(sized),
            (Layout::Rgb, false) => orientation.turn::<3>(sized, tensor, sides),
            (Layout::Rgbx, true) => pixels::drop_fourth(sized, tensor),
            (Layout::Rgbx, false) => orientation.turn::<4>(sized, tensor, sides),
        }
        Ok(())
    }
}

impl<D: Photo> CpuStage<D> for Loader {
    type Prepared = Array3<u8>;

    fn prepare(&self, document: &mut D) -> Result<Array3<u8>, Cause> {
        self.with(document.source(), |photo, scratch| self.tensor(photo, scratch))
    }

    fn recycle(&self, used: Array3<u8>) {
        self.keep(used);
    }

    /// Known where both sides are set.
    fn prepared_bytes(&self) -> Option<usize> {
        let (height, width, channels) = self.shape()?;
        height.checked_mul(width)?.checked_mul(channels)
    }
}
