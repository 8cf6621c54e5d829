//! The job of the seeds: load, normalise and turn some 6,000 photos, in a loop and with `apply`.
//!
//! ```text
//! cargo run --release --example images                  # 6,016 photos, made once under target/
//! cargo run --release --example images -- --images 500 --workers 4 --json
//! ```
//! `--keep` holds every tensor, as the seeds do, which takes gigabytes; else a document keeps the mean of each
//! channel and gives its tensor back. Both ways must give the same documents.

#[path = "common/photos.rs"]
mod photos;
#[path = "common/terminal.rs"]
mod terminal;

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use gapless::Cause;
use gapless::doc::{Doc, DocArray};
use gapless::image::Normalization;
use ndarray::{Array1, Axis};
use serde_json::json;
use terminal::{Problem, print};

const HELP: &str = "images [--images N] [--workers N] [--keep] [--json]

--images   photos, which are made once; default 6016
--workers  of `apply`; default one a core
--keep     holds every tensor
--json     one object on stdout and nothing else";

struct Options {
    images: usize,
    workers: usize,
    keep: bool,
    json: bool,
}

fn main() -> ExitCode {
    terminal::exit("images", options().and_then(|options| options.map_or(Ok(()), |options| run(&options))))
}

/// `None` where only the help was asked for.
fn options() -> Result<Option<Options>, Problem> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let mut options = Options { images: 6_016, workers, keep: false, json: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("images") => options.images = parser.value()?.parse()?,
            Long("workers") => options.workers = parser.value()?.parse()?,
            Long("keep") => options.keep = true,
            Long("json") => options.json = true,
            Short('h') | Long("help") => {
                print(HELP)?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Problem> {
    let folder = photos::repository::root().join("target").join("images");
    let photos = photos::make_photos(&folder, options.images, 1).map_err(|error| error.to_string())?;
    let named: DocArray = photos.iter().map(|path| Doc::from_uri(path.to_string_lossy())).collect();
    let keep = options.keep;
    let work = move |doc: &mut Doc| prepare(doc, keep);

    let mut looped = named.clone();
    let start = Instant::now();
    for doc in &mut looped {
        work(doc).map_err(|cause| cause.to_string())?;
    }
    let loop_s = start.elapsed().as_secs_f64();

    let mut applied = named;
    let start = Instant::now();
    applied.apply(work).workers(options.workers).run()?;
    let apply_s = start.elapsed().as_secs_f64();

    if looped != applied {
        return Err("the loop and apply give different documents".into());
    }
    Ok(show(options, loop_s, apply_s)?)
}

/// What the job does with a document, at its own size; what is kept of it besides is the mean of each channel.
fn prepare(doc: &mut Doc, keep: bool) -> Result<(), Cause> {
    doc.load_image()?.normalize(&Normalization::default(), -1)?.move_channel(-1, 0)?;
    let tensor =
        doc.tensor().and_then(|tensor| tensor.get::<f32>()).ok_or_else(|| Cause::msg("no tensor"))?;
    let means: Array1<f32> =
        tensor.axis_iter(Axis(0)).map(|plane| plane.sum() / plane.len() as f32).collect();
    doc.embedding = Some(means.into());
    if !keep {
        doc.take_content();
    }
    Ok(())
}

fn show(options: &Options, loop_s: f64, apply_s: f64) -> io::Result<()> {
    let Options { images, workers, .. } = *options;
    let peak_rss_mib = peak_rss_mib();
    if options.json {
        let figures = json!({
            "images": images, "workers": workers, "loop_s": loop_s, "apply_s": apply_s, "peak_rss_mib": peak_rss_mib
        });
        return print(&figures.to_string());
    }
    print(&format!("{images} photos: load, normalise, channel axis"))?;
    print(&format!("  a loop            {loop_s:8.2} s"))?;
    print(&format!("  apply, {workers} workers  {apply_s:8.2} s, {:.2} times as fast", loop_s / apply_s))?;
    if let Some(peak) = peak_rss_mib {
        print(&format!("  memory at most    {peak:8.0} MiB"))?;
    }
    Ok(())
}

/// The most memory this process held; `None` where the system does not tell.
fn peak_rss_mib() -> Option<f64> {
    let status = String::from_utf8(gapless::file::read("/proc/self/status", 1 << 20).ok()?).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some((kib / 1024.0 * 10.0).round() / 10.0)
}
