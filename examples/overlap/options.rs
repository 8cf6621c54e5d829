//! What the command line says.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::Failure;

const HELP: &str = "overlap [--only schedule|photos] [--scale S] [--images DIR] [--device cpu|software|NAME]
        [--batch-size N] [--workers N] [--json]

--only        one of the two parts; default both
--scale       run the schedule at 1/S of its time; 1 is real time, default 20
--images      photos of your own; default 320 made from those in the repository
--device      cpu (the twins), software, or a part of an adapter's name; default the best there is
--batch-size  documents a batch; default 16
--workers     workers; default 4 in the schedule, one a core for photos
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
    pub(crate) json: bool,
}

/// `None` where only the help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, Failure> {
    let mut options = Options {
        only: None,
        scale: 20.0,
        images: None,
        device: None,
        batch_size: 16,
        workers: None,
        json: false,
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("only") => options.only = Some(part(&arguments.value()?.string()?)?),
            Long("scale") => options.scale = arguments.value()?.parse()?,
            Long("images") => options.images = Some(arguments.value()?.into()),
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("batch-size") => options.batch_size = arguments.value()?.parse()?,
            Long("workers") => options.workers = Some(arguments.value()?.parse()?),
            Long("json") => options.json = true,
            Short('h') | Long("help") => {
                println!("{HELP}");
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    check(&options)?;
    Ok(Some(options))
}

fn part(name: &str) -> Result<Part, Failure> {
    match name {
        "schedule" => Ok(Part::Schedule),
        "photos" => Ok(Part::Photos),
        other => Err(format!("--only {other}: there are schedule and photos").into()),
    }
}

fn check(options: &Options) -> Result<(), Failure> {
    if !(0.01..=10_000.0).contains(&options.scale) {
        return Err("--scale is a number from 0.01 to 10000".into());
    }
    if options.batch_size == 0 {
        return Err("--batch-size is at least 1".into());
    }
    Ok(())
}
