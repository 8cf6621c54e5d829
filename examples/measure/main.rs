//! Measures a machine: what a user pastes into an issue.
//!
//! `cargo run --release --example measure -- [--device NAME] [--json FILE]`
//!
//! Adapter, driver and limits; how fast the device moves bytes; how fast each kernel runs; what
//! overlap gains. Less than two minutes on any device. `NAME` is `cpu`, `software` or a part of an adapter's name.

mod bandwidth;
mod kernels;
mod machine;
mod network;
mod overlap;

use std::path::PathBuf;
use std::process::ExitCode;

use gapless::Gpu;
use serde_json::{Value, json};

/// One part of the measurement: text for people and a value for programs.
struct Section {
    name: &'static str,
    text: String,
    json: Value,
}

type Failure = Box<dyn std::error::Error>;

#[derive(Default)]
struct Options {
    device: Option<String>,
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("measure: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Result<(), Failure> {
    let Some(options) = options()? else { return Ok(()) };
    let gpu = options.device.as_deref().map_or_else(Gpu::best, Gpu::named)?;
    let mut all = serde_json::Map::new();
    let mut show = |section: Section| {
        println!("== {}\n{}\n", section.name, section.text.trim_end());
        all.insert(section.name.into(), section.json);
    };
    show(machine::section(&gpu));
    let (bandwidth, section) = bandwidth::section(&gpu)?;
    show(section);
    show(kernels::section(&gpu, &bandwidth)?);
    show(overlap::section(&gpu)?);
    if let Some(path) = options.json {
        std::fs::write(&path, format!("{:#}\n", json!(all)))?;
    }
    Ok(())
}

/// `None` where only the help was asked for.
fn options() -> Result<Option<Options>, Failure> {
    use lexopt::prelude::*;
    let mut options = Options::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("json") => options.json = Some(arguments.value()?.into()),
            Short('h') | Long("help") => {
                println!("measure [--device cpu|software|NAME] [--json FILE]");
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}
