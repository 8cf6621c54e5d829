//! Photos a second: the decoder alone, the loader on the workers, and the loader with a small network.
//!
//! All three on the same files, in turns, so that other work on the machine meets each of them. The
//! decoder is what no loader can beat: the loader also reads the file, checks it, crops and resizes.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Instant;

use gapless::image::Loader;
use gapless::{Accounts, CpuStage, Gpu, Pipeline, Report};
use ndarray::Array3;
use rayon::prelude::*;
use serde_json::json;
use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::small::small_network;
use crate::terminal::Problem;
use crate::{BATCH, Effort, SIDE, Section, made, median, overlap, workers};

pub(crate) fn section(gpu: &Gpu, effort: &Effort) -> Result<Section, Problem> {
    let paths = made::made_here(count(gpu, effort)?)?;
    let files =
        paths.iter().map(|path| gapless::file::read(path, 64 << 20)).collect::<Result<Vec<_>, _>>()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(workers()).build()?;
    let (mut decoded, mut loaded, mut reports) = (Vec::new(), Vec::new(), Vec::new());
    pool.install(|| decode_all(&files))?;
    for _ in 0..effort.rounds {
        decoded.push(rate(files.len(), || pool.install(|| decode_all(&files)))?);
        loaded.push(rate(paths.len(), || pool.install(|| load_all(&paths)))?);
        reports.push(run(gpu, &paths)?);
    }
    Ok(describe(paths.len(), median(decoded), median(loaded), &overlap::median(reports)))
}

/// As many as the device does in the time that a run may take.
fn count(gpu: &Gpu, effort: &Effort) -> Result<usize, Problem> {
    let batches = (effort.seconds / overlap::batch_seconds(gpu, SIDE)?) as usize;
    Ok((batches * BATCH).clamp(2 * BATCH, effort.photos))
}

/// Photos a second.
fn rate(photos: usize, work: impl FnOnce() -> Result<(), String>) -> Result<f64, Problem> {
    let start = Instant::now();
    work()?;
    Ok(photos as f64 / start.elapsed().as_secs_f64())
}

thread_local! {
    static PIXELS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

fn decode_all(files: &[Vec<u8>]) -> Result<(), String> {
    let decode = |file: &Vec<u8>| PIXELS.with_borrow_mut(|pixels| decode(file, pixels));
    files.par_iter().try_for_each(decode).map_err(|error| format!("a photo cannot be decoded: {error}"))
}

fn decode(file: &[u8], pixels: &mut Vec<u8>) -> Result<(), zune_jpeg::errors::DecodeErrors> {
    let options = DecoderOptions::new_fast().set_strict_mode(true);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    decoder.decode_headers()?;
    let size = decoder.output_buffer_size().unwrap_or(0);
    pixels.resize(size.max(pixels.len()), 0);
    decoder.decode_into(pixels)
}

fn load_all(paths: &[PathBuf]) -> Result<(), String> {
    let loader = loader();
    paths.par_iter().try_for_each(|path| {
        let tensor: Array3<u8> = loader.prepare(&mut path.as_path()).map_err(|cause| cause.to_string())?;
        CpuStage::<PathBuf>::recycle(&loader, tensor);
        Ok(())
    })
}

fn loader() -> Loader {
    Loader::rgb8(SIDE as u32, SIDE as u32).center_crop(0.875)
}

fn run(gpu: &Gpu, paths: &[PathBuf]) -> Result<Report, Problem> {
    let pipeline = Pipeline::new(loader(), small_network(gpu, SIDE)?).batch_size(BATCH).workers(workers());
    let mut run = pipeline.run(paths.to_vec());
    run.by_ref().try_for_each(|batch| batch.map(drop))?;
    let Accounts { delivered, .. } = run.accounts();
    assert_eq!(delivered, paths.len() as u64, "every photo came out");
    Ok(run.report())
}

fn describe(photos: usize, decoded: f64, loaded: f64, report: &Report) -> Section {
    let whole = photos as f64 / report.wall_s;
    let busy = report.devices.iter().map(|device| device.busy).fold(0.0, f64::max);
    let text = format!(
        "{photos} JPEGs of 320 × 240 to 640 × 480 to {SIDE} × {SIDE}, {workers} workers\n\
         decoder alone      {decoded:>8.0} photos/s\n\
         loader             {loaded:>8.0} photos/s, {of_decoder:.2} of it\n\
         loader and network {whole:>8.0} photos/s, {wall:.3} s, bound {bound:.3} s ({bottleneck}), \
         CPU busy {cpu:.0} %, GPU busy {gpu:.0} %",
        workers = workers(),
        of_decoder = loaded / decoded,
        wall = report.wall_s,
        bound = report.bound_s,
        bottleneck = report.bottleneck,
        cpu = report.cpu.busy * 100.0,
        gpu = busy * 100.0,
    );
    let json = json!({
        "photos": photos, "side": SIDE, "workers": workers(),
        "decoder_per_second": decoded, "loader_per_second": loaded, "network_per_second": whole,
        "overlapped_s": report.wall_s, "bound_s": report.bound_s, "bottleneck": report.bottleneck,
        "cpu_busy": report.cpu.busy, "gpu_busy": busy, "first_result_s": report.first_result_s,
    });
    Section { name: "photos", text, json }
}
