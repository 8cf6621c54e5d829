//! Makes as many photos as are asked for from the few in the repository, by crops and flips.
//!
//! Shared by examples, benches and tests: `#[path = "../examples/common/photos.rs"] mod photos;`

#[path = "repository.rs"]
pub(crate) mod repository;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use gapless::image::{Format, Loader, encode};
use ndarray::Array3;

const NAMES: [&str; 5] = ["camera", "chelsea", "coffee", "retina", "rocket"];
/// As cameras and the web write them: in this quality colour has half the resolution.
const QUALITY: u8 = 85;

/// Writes `count` JPEGs of 320×240 to 640×480 pixels into `dir` and gives their paths, in order.
///
/// The same seed gives the same files. A file that is there is left as it is, so a second call is fast.
///
/// # Errors
/// The directory cannot be written, or the repository's photos cannot be read.
pub(crate) fn make_photos(
    dir: &Path,
    count: usize,
    seed: u64,
) -> Result<Vec<PathBuf>, Box<dyn Error + Send + Sync>> {
    fs::create_dir_all(dir)?;
    let paths: Vec<_> = (0..count).map(|index| dir.join(format!("{seed}-{index:04}.jpg"))).collect();
    let mut originals = Vec::new();
    for (path, index) in paths.iter().zip(0..).filter(|(path, _)| !path.exists()) {
        if originals.is_empty() {
            originals = NAMES.map(original).into_iter().collect::<Result<_, _>>()?;
        }
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ index);
        let original = &originals[random.below(originals.len())];
        gapless::file::write(path, original.crop(&mut random)?).map_err(|cause| cause.to_string())?;
    }
    Ok(paths)
}

/// One of the repository's photos, decoded.
struct Original(Array3<u8>);

fn original(name: &str) -> Result<Original, String> {
    let path = repository::root().join("photos").join(name).with_extension("jpg");
    Loader::own_size().load(path).map(Original).map_err(|cause| cause.to_string())
}

impl Original {
    /// A JPEG of a random part of random size, mirrored half of the time. Where the part would reach
    /// over an edge the photo is mirrored there.
    fn crop(&self, random: &mut Random) -> Result<Vec<u8>, String> {
        let (full_height, full_width, _) = self.0.dim();
        let (width, height) = (320 + random.below(321), 240 + random.below(241));
        let left = random.below(full_width.saturating_sub(width) + 1);
        let top = random.below(full_height.saturating_sub(height) + 1);
        let flip = random.below(2) == 1;
        let pixels = Array3::from_shape_fn((height, width, 3), |(y, x, channel)| {
            let x = left + if flip { width - 1 - x } else { x };
            self.0[[mirrored(top + y, full_height), mirrored(x, full_width), channel]]
        });
        encode(pixels.view(), Format::Jpeg(QUALITY)).map_err(|cause| cause.to_string())
    }
}

fn mirrored(at: usize, side: usize) -> usize {
    if at < side { at } else { 2 * side - 1 - at }
}

/// SplitMix64 (Steele, Lea and Flood 2014): enough for choosing crops, and the same everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
