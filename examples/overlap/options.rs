//! What the command line says.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::arguments::number;
use crate::terminal::{Problem, print};

const HELP: &str = "overlap [--only schedule|photos] [--scale S] [--images DIR] [--device cpu|software|NAME]
        [--batch-size N] [--workers N] [--trace FILE] [--svg FILE] [--json]

--only        one of the two parts; default both
--scale       run the schedule at 1/S of its time; 1 is real time, default 20
--images      a folder with photos of your own; default 320 made from those in the repository
--device      cpu (the twins), software, or a part of an adapter's name; default the best there is
--batch-size  documents a batch; default 16
--workers     workers; default 4 in the schedule, one a core for photos
--trace       writes who did what when in the overlapped run, for Perfetto or chrome://tracing: document by
              document in the schedule, else the photos
--svg         draws one after the other against overlapped, of the same
--json        one object on stdout and nothing else";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Schedule,
    Photos,
}

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) only: Option<Part>,
    pub(crate) scale: f64,
    pub(crate) images: Option<PathBuf>,
    pub(crate) device: Option<String>,
    pub(crate) batch_size: usize,
    pub(crate) workers: Option<usize>,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) svg: Option<PathBuf>,
    pub(crate) json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            only: None,
            scale: 20.0,
            images: None,
            device: None,
            batch_size: 16,
            workers: None,
            trace: None,
            svg: None,
            json: false,
        }
    }
}

/// `None` where only the help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, Problem> {
    let mut options = Options::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("only") => options.only = Some(part(&arguments.value()?.string()?)?),
            Long("scale") => options.scale = number("--scale", &mut arguments, 0.01..=10_000.0)?,
            Long("images") => options.images = Some(arguments.value()?.into()),
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("batch-size") => options.batch_size = number("--batch-size", &mut arguments, 1..=1024)?,
            Long("workers") => options.workers = Some(number("--workers", &mut arguments, 1..=1024)?),
            Long("trace") => options.trace = Some(arguments.value()?.into()),
            Long("svg") => options.svg = Some(arguments.value()?.into()),
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

fn part(name: &str) -> Result<Part, Problem> {
    match name {
        "schedule" => Ok(Part::Schedule),
        "photos" => Ok(Part::Photos),
        other => Err(format!("--only {other}: there are schedule and photos").into()),
    }
}
