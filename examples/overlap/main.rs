//! The main job: what overlap gains, on the experiment that started it and on real photos.
//!
//! ```text
//! cargo run --release --example overlap
//! cargo run --release --example overlap -- --only schedule --scale 1
//! cargo run --release --example overlap -- --only photos --images DIR --device NAME --json
//! cargo run --release --example overlap -- --only schedule --trace overlap.json --svg overlap.svg
//! ```
//!
//! First the experiment of DocArray's documentation: 1,024 documents in batches of 16, four workers at
//! 1 s a batch, a device at 2 s a batch, at 1/20 of its time unless `--scale` says otherwise. Then a few
//! hundred photos through the loader and a small network on the device there is, first all CPU and then
//! all GPU, then both at once. `--trace` and `--svg` record who did what when in the schedule, or in the photos
//! where they are alone: one for Perfetto, one as a picture of both ways. With `--json` stdout is one object and nothing else.
//!
//! The exit status is 0 when one of the two parts was done; a photo that failed is named on stderr, and so
//! is why a part was not done. Then the object holds of that part what was found before.

#[path = "../common/arguments.rs"]
mod arguments;
mod console;
#[path = "../common/device.rs"]
mod device;
#[path = "../common/failure.rs"]
mod failure;
mod options;
mod photos;
mod record;
mod schedule;
#[path = "../common/terminal.rs"]
mod terminal;

use std::process::ExitCode;

use console::Console;
use options::Part;
use photos::Photos;
use record::Record;
use terminal::{Problem, print};

fn main() -> ExitCode {
    terminal::exit("overlap", run())
}

fn run() -> Result<(), Problem> {
    let Some(options) = options::parse()? else { return Ok(()) };
    let console = Console::new(options.json);
    let record = Record::create(options.trace.as_deref(), options.svg.as_deref())?;
    let none = Record::default();
    // A device or a folder that is not there is said before the schedule takes its time.
    let photos = match options.only {
        Some(Part::Schedule) => None,
        _ => Some(Photos::find(&options)?),
    };
    let mut all = serde_json::Map::new();
    if options.only != Some(Part::Photos) {
        all.insert("schedule".into(), schedule::measure(&options, &console, &record)?);
    }
    if let Some(photos) = photos {
        let mut known = serde_json::Map::new();
        let of_photos = if options.only == Some(Part::Photos) { &record } else { &none };
        let result = photos.measure(&options, &console, of_photos, &mut known);
        after(result, all.is_empty())?;
        all.insert("photos".into(), known.into());
    }
    if options.json {
        print(&serde_json::Value::Object(all).to_string())?;
    }
    Ok(())
}

/// A part that failed takes nothing from a part that was done before.
fn after(result: Result<(), Problem>, first: bool) -> Result<(), Problem> {
    match result {
        Err(problem) if !first && !terminal::unread(&problem) => {
            terminal::complain(&format!("overlap: {problem}"));
            Ok(())
        }
        result => result,
    }
}
