//! The main job: what overlap gains, on the experiment that started it and on real photos.
//!
//! ```text
//! cargo run --release --example overlap
//! cargo run --release --example overlap -- --only schedule --scale 1
//! cargo run --release --example overlap -- --only photos --images DIR --device NAME --json
//! ```
//!
//! First the experiment of DocArray's documentation: 1,024 documents in batches of 16, four workers at
//! 1 s a batch, a device at 2 s a batch, at 1/20 of its time unless `--scale` says otherwise. Then a few
//! hundred photos through the loader and a small network on the device there is, first all CPU and then
//! all GPU, then both at once. With `--json` stdout is one object and nothing else.

mod options;
mod photos;
mod schedule;

use std::process::ExitCode;

use options::{Options, Part};

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("overlap: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let mut all = serde_json::Map::new();
    if options.only != Some(Part::Photos) {
        all.insert("schedule".into(), schedule::measure(&options)?);
    }
    if options.only != Some(Part::Schedule) {
        all.insert("photos".into(), photos::measure(&options)?);
    }
    if options.json {
        println!("{}", serde_json::Value::Object(all));
    }
    Ok(())
}

/// Says something to people; stdout belongs to the object where one was asked for.
fn say(options: &Options, text: &str) {
    if !options.json {
        println!("{text}");
    }
}
