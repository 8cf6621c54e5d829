//! Photos a second, against what the decoder alone reaches on the same files in the same run.
//!
//! 1,024 JPEGs of 320×240 to 640×480, two workers, to 224² u8 tensors. The decoder is the bound: the
//! loader also finds, opens and reads the file, checks it, crops and resizes.

#[path = "../examples/common/photos.rs"]
mod photos;

use std::cell::RefCell;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use gapless::CpuStage;
use gapless::image::{Filter, Loader};
use rayon::prelude::*;
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

const PHOTOS: usize = 1024;
const WORKERS: usize = 2;
const RUNS: usize = 7;
const GOAL: f64 = 0.7;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("photos");
    let paths = photos::make_photos(&dir, PHOTOS, 1)?;
    let files = paths.iter().map(fs::read).collect::<Result<Vec<_>, _>>()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(WORKERS).build()?;
    let loaders = [
        ("bilinear, middle 0.875", Loader::rgb8(224, 224).center_crop(0.875)),
        ("bicubic, middle 0.875", Loader::rgb8(224, 224).center_crop(0.875).filter(Filter::Bicubic)),
        ("bilinear, whole photo", Loader::rgb8(224, 224)),
        ("bicubic, whole photo", Loader::rgb8(224, 224).filter(Filter::Bicubic)),
    ];
    println!("{PHOTOS} JPEGs, {WORKERS} workers, medians of {RUNS} runs; goal {GOAL} of the decoder");
    for (name, loader) in &loaders {
        let runs: Vec<_> = (0..RUNS).map(|_| pool.install(|| run(&files, loader, &paths))).collect();
        let bound = median(runs.iter().map(|run| run.bound));
        let rate = median(runs.iter().map(|run| run.rate));
        // Neighbours in time are compared, since other work on the machine changes meanwhile.
        let ratio = median(runs.iter().map(|run| run.rate / run.bound));
        println!("{name:<24} {rate:6.0} photos/s   decoder alone {bound:6.0}   {ratio:.2} of it");
    }
    Ok(())
}

/// Photos a second of the decoder alone, and of the loader right after it.
struct Run {
    bound: f64,
    rate: f64,
}

fn run(files: &[Vec<u8>], loader: &Loader, paths: &[PathBuf]) -> Run {
    Run { bound: rate(|| decode_alone(files)), rate: rate(|| load(loader, paths)) }
}

thread_local! {
    static PIXELS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// zune-jpeg in strict mode on files in memory, into one buffer a worker: what no loader can beat.
fn decode_alone(files: &[Vec<u8>]) -> usize {
    files.par_iter().map(|file| PIXELS.with_borrow_mut(|pixels| decode(file, pixels))).sum()
}

fn decode(file: &[u8], pixels: &mut Vec<u8>) -> usize {
    let options = DecoderOptions::new_fast().set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers().expect("a photo");
    let size = decoder.output_buffer_size().expect("a size");
    if pixels.len() < size {
        pixels.resize(size, 0);
    }
    decoder.decode_into(pixels).expect("a photo");
    usize::from(size >= 3 * 320 * 240)
}

fn load(loader: &Loader, paths: &[PathBuf]) -> usize {
    let load_one = |path: &PathBuf| {
        let tensor = loader.prepare(&mut path.as_path()).expect("a photo");
        let done = usize::from(tensor.dim() == (224, 224, 3));
        CpuStage::<PathBuf>::recycle(loader, tensor);
        done
    };
    paths.par_iter().map(load_one).sum()
}

fn rate(work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    assert_eq!(work(), PHOTOS, "every photo was done");
    PHOTOS as f64 / start.elapsed().as_secs_f64()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
