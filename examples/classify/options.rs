//! What the command line says.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::arguments::number;
use crate::repository;
use crate::terminal::{Problem, print};

const HELP: &str =
    "classify [--device cpu|software|NAME] [--batch-size N] [--workers N] [--model FILE] [--labels FILE]
         [--mean M] [--std S] [--size N] [--crop C] [--trace FILE] [--json] PHOTO...

--device      cpu (the twins), software, or a part of an adapter's name; default the best there is
--batch-size  photos a batch; default 16
--workers     workers that load photos; default one a core
--model       an ONNX file whose input is [n, 3, height, width]; default EfficientNet-Lite0
--labels      a text file with a label a line, as many as the model has classes; default those of ImageNet
--mean --std  of each channel, in the unit of the pixels, 0 to 255: a number, or three with commas;
              default 127 and 128
--size        the side of the square that the model sees; default what the model says, if it says anything
--crop        the share of the short side that is kept in the middle; default 0.875
--trace       writes who did what when, for Perfetto or chrome://tracing
--json        an object a photo on stdout, the report on stderr";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) device: Option<String>,
    pub(crate) batch_size: usize,
    pub(crate) workers: Option<usize>,
    pub(crate) model: PathBuf,
    pub(crate) labels: PathBuf,
    pub(crate) mean: [f32; 3],
    pub(crate) std: [f32; 3],
    pub(crate) size: Option<u32>,
    pub(crate) crop: f64,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) json: bool,
    pub(crate) photos: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        let models = repository::root().join("models");
        Self {
            device: None,
            batch_size: 16,
            workers: None,
            model: models.join("efficientnet-lite0.onnx"),
            labels: models.join("imagenet-labels.txt"),
            mean: [127.0; 3],
            std: [128.0; 3],
            size: None,
            crop: 0.875,
            trace: None,
            json: false,
            photos: Vec::new(),
        }
    }
}

/// `None` where only the help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, Problem> {
    let mut options = Options::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("batch-size") => options.batch_size = number("--batch-size", &mut arguments, 1..=4096)?,
            Long("workers") => options.workers = Some(number("--workers", &mut arguments, 1..=1024)?),
            Long("model") => options.model = arguments.value()?.into(),
            Long("labels") => options.labels = arguments.value()?.into(),
            Long("mean") => options.mean = channels("--mean", &arguments.value()?.string()?)?,
            Long("std") => options.std = channels("--std", &arguments.value()?.string()?)?,
            Long("size") => options.size = Some(number("--size", &mut arguments, 1..=8192)?),
            Long("crop") => options.crop = number("--crop", &mut arguments, 0.01..=1.0)?,
            Long("trace") => options.trace = Some(arguments.value()?.into()),
            Long("json") => options.json = true,
            Short('h') | Long("help") => {
                print(HELP)?;
                return Ok(None);
            }
            Value(photo) => options.photos.push(photo.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.photos.is_empty() {
        return Err("no photo was given; --help lists the options".into());
    }
    Ok(Some(options))
}

/// One number for all channels, or one for each.
fn channels(option: &str, text: &str) -> Result<[f32; 3], Problem> {
    let numbers: Result<Vec<f32>, _> = text.split(',').map(|number| number.trim().parse::<f32>()).collect();
    match numbers.as_deref() {
        Ok(&[all]) => Ok([all; 3]),
        Ok(&[red, green, blue]) => Ok([red, green, blue]),
        _ => Err(format!("{option} {text}: it is a number, or three with commas between them").into()),
    }
}
