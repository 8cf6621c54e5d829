//! Measures a machine: what a user pastes into a bug report.
//!
//! `cargo run --release --example measure -- [--device NAME] [--network MODEL] [--precision WORD] [--quick] [--trace FILE]
//! [--json FILE]`
//!
//! Adapter, driver and limits; how fast the device moves bytes; how fast each kernel runs; what
//! overlap gains; photos a second. Less than two minutes on any device. `NAME` is `cpu` (the twins),
//! `software` or a part of an adapter's name. `--quick` takes seconds, and its figures are rough.

mod kernels;
mod machine;
#[path = "../common/made.rs"]
mod made;
mod network;
mod options;
mod overlap;
mod photos;
#[path = "../common/network.rs"]
mod small;
#[path = "../common/terminal.rs"]
mod terminal;
#[path = "../common/variants.rs"]
mod variants;
mod yardstick;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use gapless::Gpu;
use gapless::file::NewFile;
use serde_json::{Value, json};
use terminal::{Problem, print};

/// Documents a batch, everywhere here.
const BATCH: usize = 16;
/// Pixels of a side of a photo, where the device is not too slow for it.
const SIDE: usize = 224;

/// One part of the measurement: text for people and a value for programs.
struct Section {
    name: &'static str,
    text: String,
    json: Value,
}

/// How much is measured.
struct Effort {
    /// Runs of which the median counts.
    rounds: usize,
    /// Seconds that a run is to take.
    seconds: f64,
    /// Mebibytes that the device moves.
    mebibytes: u64,
    /// Rows and columns of the product that kernels are compared with.
    product_side: usize,
    /// Most photos from files.
    photos: usize,
}

impl Effort {
    const FULL: Self = Self { rounds: 3, seconds: 2.0, mebibytes: 64, product_side: 1024, photos: 512 };
    const QUICK: Self = Self { rounds: 1, seconds: 0.2, mebibytes: 8, product_side: 256, photos: 32 };
}

fn main() -> ExitCode {
    terminal::exit("measure", measure())
}

fn measure() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
    let file = options.json.as_deref().map(create).transpose()?;
    let mut all = serde_json::Map::new();
    let mut show = |section: Section| {
        all.insert(section.name.into(), section.json);
        print(&format!("== {}\n{}\n", section.name, section.text.trim_end()))
    };
    show(machine::section(&gpu))?;
    let (yardstick, section) = yardstick::section(&gpu, &effort)?;
    show(section)?;
    match &options.network {
        Some(path) => show(network::section(&gpu, path, &options.variants, &yardstick, &effort)?)?,
        None => {
            show(kernels::section(&gpu, &yardstick)?)?;
            show(overlap::section(&gpu, &effort, options.trace.as_deref())?)?;
            show(photos::section(&gpu, &effort)?)?;
        }
    }
    if let Some(mut file) = file {
        writeln!(file, "{:#}", json!(all))?;
        file.finish()?;
    }
    Ok(())
}

/// A file that cannot be written is said before a minute is spent.
fn create(path: &Path) -> Result<NewFile, Problem> {
    NewFile::create(path).map_err(|cause| format!("--json {cause}").into())
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
