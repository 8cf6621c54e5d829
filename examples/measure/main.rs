//! Measures a machine: what a user pastes into a bug report.
//!
//! `cargo run --release --example measure -- [--device NAME] [--network MODEL] [--precision WORD] [--quick] [--trace FILE]
//! [--json FILE]`, and more that `--help` says.
//!
//! Adapter, driver and limits; how fast the device moves bytes and multiplies; how fast each kernel runs; what
//! overlap gains; photos a second. Less than two minutes on any device. `NAME` is `cpu` (the twins),
//! `software` or a part of an adapter's name. `--quick` takes seconds, and its figures are rough.

mod goals;
mod kernels;
mod machine;
#[path = "../common/made.rs"]
mod made;
mod multiply_adds;
mod network;
mod options;
mod overlap;
mod photos;
#[path = "../common/network.rs"]
mod small;
mod speed;
mod table;
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
use options::Options;
use serde_json::Value;
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
    /// Mebibytes that the device moves, where a buffer may be so large.
    mebibytes: u64,
    /// Most photos from files.
    photos: usize,
}

impl Effort {
    const FULL: Self = Self { rounds: 3, seconds: 2.0, mebibytes: 256, photos: 512 };
    const QUICK: Self = Self { rounds: 1, seconds: 0.2, mebibytes: 8, photos: 32 };
}

fn main() -> ExitCode {
    terminal::exit("measure", measure())
}

fn measure() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let file = options.json.as_deref().map(create).transpose()?;
    let all = match &options.table {
        Some(folder) => {
            let all = table::measured(folder)?;
            print(&table::markdown(&all))?;
            all
        }
        None => sections(&options)?,
    };
    if let Some(mut file) = file {
        writeln!(file, "{all:#}")?;
        file.finish()?;
    }
    Ok(())
}

/// Measures and prints what is asked for.
fn sections(options: &Options) -> Result<Value, Problem> {
    let effort = if options.quick { Effort::QUICK } else { Effort::FULL };
    let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
    let mut all = serde_json::Map::new();
    let mut show = |section: Section| {
        all.insert(section.name.into(), section.json);
        print(&format!("== {}\n{}\n", section.name, section.text.trim_end()))
    };
    show(machine::section(&gpu))?;
    let (yardstick, section) = yardstick::section(&gpu, &effort)?;
    show(section)?;
    if let Some(path) = &options.network {
        show(network::section(&gpu, path, options, (&yardstick, &effort))?)?;
        return Ok(all.into());
    }
    show(kernels::section(&gpu, &yardstick)?)?;
    if !options.kernels {
        show(overlap::section(&gpu, &effort, options.trace.as_deref())?)?;
        show(photos::section(&gpu, &effort)?)?;
    }
    Ok(all.into())
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
