//! What the command line says.

use std::path::PathBuf;

use gapless::file::NewFile;
use lexopt::prelude::*;

use crate::arguments::number;
use crate::terminal::{Problem, print};
use crate::variants::{self, Variants};

const HELP: &str = "infer MODEL.onnx --input [NAME=]IN.npy... [--output NAME=OUT.npy]... [--batch-size N]
      [--dim SYMBOL=N]... [--batch SYMBOL] [--batch-axis INPUT=AXIS|none]... [--bind INPUT]...
      [--device cpu|software|NAME] [--repeat N] [--json] [--plan] [--precision WORD] [--variant WORD]... [--without WORD]...

--input       an array of NumPy for an input of the model; the name may be left out where there is one input
--output      writes an output of the model; without it, shape, mean and range of all are printed
--dim         the length of an axis that the model leaves open, where no array says it
--batch       the name of the axis that is the batch; by default the one that is called so, else the first
--batch-axis  the place of that axis in an input, or that it has none
--bind        an input that is the same for all items; whole numbers and scalars beside others are that by default,
              unless their batch is that of the others
--batch-size  items a batch; default 16
--device      cpu (the twins), software, or a part of an adapter's name; default the best there is
--repeat      runs all items at least N times more, in full batches, and prints what that took
--json        with --repeat, by default once: one object on stdout and nothing else. Its multiply_adds are those of
              one item, its bytes those of one batch, its memory what the device holds
--plan        prints what is run: kernels and their variants, shapes, bytes and multiply-adds of an item, memory; with
              --json on stderr";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) model: PathBuf,
    pub(crate) inputs: Vec<String>,
    /// Name and file.
    pub(crate) outputs: Vec<(String, String)>,
    pub(crate) dims: Vec<(String, usize)>,
    pub(crate) batch: Option<String>,
    pub(crate) batch_axes: Vec<(String, Option<usize>)>,
    pub(crate) bound: Vec<String>,
    pub(crate) batch_size: usize,
    pub(crate) device: Option<String>,
    pub(crate) repeat: Option<usize>,
    pub(crate) json: bool,
    pub(crate) plan: bool,
    pub(crate) variants: Variants,
}

impl Options {
    /// The files of the outputs by name, if the model has all of these. One that cannot be written is said before
    /// anything runs; each is there when it is whole.
    pub(crate) fn files(&self, names: &[String]) -> Result<Vec<(String, NewFile)>, Problem> {
        if let Some((name, _)) = self.outputs.iter().find(|(name, _)| !names.contains(name)) {
            return Err(format!("--output {name}: the outputs are {}", names.join(", ")).into());
        }
        let file = |(name, path): &(String, String)| match NewFile::create(path) {
            Ok(file) => Ok((name.clone(), file)),
            Err(cause) => Err(format!("--output {name}={cause}").into()),
        };
        self.outputs.iter().map(file).collect()
    }
}

/// `None` where only the help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, Problem> {
    let mut options = Options {
        model: PathBuf::new(),
        inputs: Vec::new(),
        outputs: Vec::new(),
        dims: Vec::new(),
        batch: None,
        batch_axes: Vec::new(),
        bound: Vec::new(),
        batch_size: 16,
        device: None,
        repeat: None,
        json: false,
        plan: false,
        variants: Variants::default(),
    };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("input") => options.inputs.push(arguments.value()?.string()?),
            Long("output") => options.outputs.push(output(&arguments.value()?.string()?)?),
            Long("dim") => options.dims.push(dim(&arguments.value()?.string()?)?),
            Long("batch") => options.batch = Some(arguments.value()?.string()?),
            Long("batch-axis") => options.batch_axes.push(batch_axis(&arguments.value()?.string()?)?),
            Long("bind") => options.bound.push(arguments.value()?.string()?),
            Long("batch-size") => options.batch_size = number("--batch-size", &mut arguments, 1..=65_535)?,
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("repeat") => options.repeat = Some(number("--repeat", &mut arguments, 1..=1_000_000)?),
            Long("json") => options.json = true,
            Long("plan") => options.plan = true,
            Short('h') | Long("help") => {
                print(&format!("{HELP}\n{}", variants::HELP))?;
                return Ok(None);
            }
            Long("precision") => {
                options.variants.precision = variants::precision(&arguments.value()?.string()?)?;
            }
            Long("variant") => options.variants.forced.push(arguments.value()?.string()?),
            Long("without") => options.variants.forbidden.push(arguments.value()?.string()?),
            Value(model) if options.model.as_os_str().is_empty() => options.model = model.into(),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.model.as_os_str().is_empty() {
        return Err("no model was given; --help lists the options".into());
    }
    if options.json && options.repeat.is_none() {
        options.repeat = Some(1);
    }
    Ok(Some(options))
}

fn output(text: &str) -> Result<(String, String), Problem> {
    let (name, path) = text.split_once('=').ok_or_else(|| format!("--output {text}: NAME=FILE would fit"))?;
    Ok((name.into(), path.into()))
}

fn dim(text: &str) -> Result<(String, usize), Problem> {
    let parts =
        text.rsplit_once('=').and_then(|(symbol, length)| Some((symbol.into(), length.parse().ok()?)));
    parts.ok_or_else(|| format!("--dim {text}: SYMBOL=N would fit").into())
}

fn batch_axis(text: &str) -> Result<(String, Option<usize>), Problem> {
    let axis = |axis: &str| if axis == "none" { Some(None) } else { axis.parse().ok().map(Some) };
    let parts = text.rsplit_once('=').and_then(|(input, place)| Some((input.into(), axis(place)?)));
    parts.ok_or_else(|| format!("--batch-axis {text}: INPUT=AXIS or INPUT=none would fit").into())
}
