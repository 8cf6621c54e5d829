//! Photos a second, against what the decoder alone reaches on the same files in the same run.
//!
//! 1,024 JPEGs of 320×240 to 640×480, two workers, to 224² u8 tensors. The decoder is the bound: the
//! loader also finds, opens and reads the file, checks it, crops and resizes.

#[path = "../examples/common/photos.rs"]
mod photos;

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
    let bilinear = Loader::rgb8(224, 224).center_crop(0.875);
    let bicubic = Loader::rgb8(224, 224).center_crop(0.875).filter(Filter::Bicubic);
    let whole = Loader::rgb8(224, 224).filter(Filter::Bicubic);

    let mut rates = [const { Vec::new() }; 4];
    for _ in 0..RUNS {
        rates[0].push(rate(|| pool.install(|| decode_alone(&files))));
        rates[1].push(rate(|| pool.install(|| load(&bilinear, &paths))));
        rates[2].push(rate(|| pool.install(|| load(&bicubic, &paths))));
        rates[3].push(rate(|| pool.install(|| load(&whole, &paths))));
    }
    let [bound, rates @ ..] = rates.map(median);
    println!("{PHOTOS} JPEGs, {WORKERS} workers, medians of {RUNS} runs");
    println!("decoder alone                    {bound:7.0} photos/s");
    for (name, rate) in
        ["bilinear, middle 0.875", "bicubic, middle 0.875", "bicubic, whole photo"].iter().zip(rates)
    {
        println!("loader, {name:<24} {rate:7.0} photos/s  {:.2} of the decoder (goal {GOAL})", rate / bound);
    }
    Ok(())
}

/// zune-jpeg in strict mode on files in memory, into one buffer a worker.
fn decode_alone(files: &[Vec<u8>]) -> usize {
    files.par_iter().map_with(Vec::new(), |pixels, file| decode(file, pixels)).sum()
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
    usize::from(pixels[size / 2] < 255) | 1
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

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
