//! What the command line says.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

use crate::terminal::{Problem, print};
use crate::variants::{self, Variants};

const HELP: &str =
    "measure [--device cpu|software|NAME] [--network MODEL] [--batches N,N...] [--kernels] [--quick] [--trace FILE]
         [--json FILE] [--table FOLDER] [--precision WORD] [--variant WORD]... [--without WORD]...

--device  cpu (the twins), software, or a part of an adapter's name; default the best there is
--network an ONNX file, and nothing but it and the machine
--batches its batch sizes; default 1,16,64,256
--kernels the machine, its yardsticks and kernels, and nothing else
--quick   rough figures in seconds
--trace   writes who did what when in an overlapped run, for Perfetto or chrome://tracing
--json    writes everything that was measured into this file as well
--table   measures nothing: one table of what scripts/measure-gpu.sh left in this folder";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) device: Option<String>,
    pub(crate) network: Option<PathBuf>,
    pub(crate) batches: Vec<usize>,
    pub(crate) kernels: bool,
    pub(crate) quick: bool,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) table: Option<PathBuf>,
    pub(crate) variants: Variants,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            device: None,
            network: None,
            batches: vec![1, 16, 64, 256],
            kernels: false,
            quick: false,
            trace: None,
            json: None,
            table: None,
            variants: Variants::default(),
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
            Long("network") => options.network = Some(arguments.value()?.into()),
            Long("batches") => options.batches = batches(&arguments.value()?)?,
            Long("kernels") => options.kernels = true,
            Long("quick") => options.quick = true,
            Long("trace") => options.trace = Some(arguments.value()?.into()),
            Long("json") => options.json = Some(arguments.value()?.into()),
            Long("table") => options.table = Some(arguments.value()?.into()),
            Long("precision") => {
                options.variants.precision = variants::precision(&arguments.value()?.string()?)?;
            }
            Long("variant") => options.variants.forced.push(arguments.value()?.string()?),
            Long("without") => options.variants.forbidden.push(arguments.value()?.string()?),
            Short('h') | Long("help") => {
                print(&format!("{HELP}\n{}", variants::HELP))?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn batches(text: &OsString) -> Result<Vec<usize>, Problem> {
    let text = text.to_string_lossy();
    let sizes = text.split(',').map(|size| size.parse().ok().filter(|size| *size > 0));
    let sizes: Option<Vec<usize>> = sizes.collect();
    sizes.ok_or_else(|| {
        format!("--batches {text}: numbers from 1 on with commas between them would fit").into()
    })
}
