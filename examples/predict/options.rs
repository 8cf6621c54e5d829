//! What the command line says.

use gapless::predict::{Costs, Settings, Way};
use lexopt::prelude::*;

use crate::arguments::number;
use crate::terminal::{Problem, print};

const HELP: &str = "predict --documents N [--cpu-seconds S] [--gpu-seconds S] [--gpu-item-seconds S] [--source-seconds S]
        [--then-seconds S] [--caller-seconds S] [--batch-size N] [--workers N] [--ahead N] [--ramp] [--depth N]
        [--shared N] [--devices N] [--way per_document|per_batch|sequential] [--item-bytes N]
        [--sample [--device cpu|software|NAME]] [--json]

--documents         documents in all; 1e9 is a number too
--cpu-seconds       of a document, on one worker; default 0
--gpu-seconds       of a batch, on one device; default 0
--gpu-item-seconds  of each item of a batch beside that; default 0
--source-seconds    of a document, inside the source; default 0
--then-seconds      of a document, after the device; default there is no then
--caller-seconds    of a batch, between two results; default 0
--batch-size        documents a batch; default 16
--workers           workers of a device; default one a core of this machine
--ahead             batches prepared ahead; default 2
--ramp              the first batches are 1, 2, 4, … documents
--depth             batches in flight on a device; default 1
--shared            devices of a pipeline, which share its batches; default 1
--devices           pipelines, each with a device and workers of its own, on equal shares; default 1
--way               how the halves are brought together; default per_document
--item-bytes        bytes of an item, for the memory; default unknown
--sample            measure the costs: photos of the repository through the loader and a small network
--device            of the sample: cpu (the twins), software, or a part of an adapter's name; default the best
--json              one object on stdout and nothing else";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) costs: Costs,
    pub(crate) settings: Settings,
    pub(crate) sample: bool,
    pub(crate) device: Option<String>,
    pub(crate) json: bool,
}

/// `None` where only the help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, Problem> {
    let (costs, settings) = (Costs::default(), Settings::new(0));
    let mut options = Options { costs, settings, sample: false, device: None, json: false };
    let (mut arguments, mut documents) = (lexopt::Parser::from_env(), None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("documents") => documents = Some(count(&mut arguments)?),
            Long("sample") => options.sample = true,
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("json") => options.json = true,
            Short('h') | Long("help") => {
                print(HELP)?;
                return Ok(None);
            }
            Long(name) => {
                let name = name.to_owned();
                if !cost(&mut options.costs, &name, &mut arguments)?
                    && !setting(&mut options.settings, &name, &mut arguments)?
                {
                    return Err(Long(&name).unexpected().into());
                }
            }
            other => return Err(other.unexpected().into()),
        }
    }
    options.settings.documents = documents.ok_or("--documents is missing; --help lists the options")?;
    Ok(Some(options))
}

/// Takes the value of an option that is a cost; false where it is none.
fn cost(costs: &mut Costs, name: &str, arguments: &mut lexopt::Parser) -> Result<bool, Problem> {
    let mut value = || number(&format!("--{name}"), arguments, 0.0..=1e9);
    match name {
        "cpu-seconds" => costs.cpu = value()?,
        "gpu-seconds" => costs.gpu_launch = value()?,
        "gpu-item-seconds" => costs.gpu_item = value()?,
        "source-seconds" => costs.source = value()?,
        "then-seconds" => costs.then = Some(value()?),
        "caller-seconds" => costs.caller = value()?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Takes the value of an option that is a setting; false where it is none.
fn setting(settings: &mut Settings, name: &str, arguments: &mut lexopt::Parser) -> Result<bool, Problem> {
    let option = format!("--{name}");
    match name {
        "batch-size" => settings.batch_size = number(&option, arguments, 1..=1 << 24)?,
        "workers" => settings.workers = number(&option, arguments, 1..=1 << 12)?,
        "ahead" => settings.ahead = number(&option, arguments, 1..=1 << 24)?,
        "ramp" => settings.ramp = true,
        "depth" => settings.depth = number(&option, arguments, 1..=1 << 12)?,
        "shared" => settings.devices = number(&option, arguments, 1..=1 << 12)?,
        "devices" => settings.pipelines = number(&option, arguments, 1..=u64::MAX)?,
        "item-bytes" => settings.item_bytes = number(&option, arguments, 1..=u64::MAX)?,
        "way" => settings.way = way(&arguments.value()?.string()?)?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn way(name: &str) -> Result<Way, Problem> {
    match name {
        "per_document" => Ok(Way::PerDocument),
        "per_batch" => Ok(Way::PerBatch),
        "sequential" => Ok(Way::Sequential),
        other => Err(format!("--way {other}: there are per_document, per_batch and sequential").into()),
    }
}

/// Documents, written as a whole number or as 1e9.
fn count(arguments: &mut lexopt::Parser) -> Result<u64, Problem> {
    let text = arguments.value()?.string()?;
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..=9e15).contains(number);
    let number = text.parse::<u64>().ok().or_else(|| Some(text.parse::<f64>().ok().filter(whole)? as u64));
    number.ok_or_else(|| format!("--documents {text}: it is a whole number, as 1000000 or 1e6").into())
}
