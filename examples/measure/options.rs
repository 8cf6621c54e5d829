//! What the command line says.

use std::path::PathBuf;

use lexopt::prelude::*;

use crate::terminal::{Problem, print};
use crate::variants::{self, Variants};

const HELP: &str =
    "measure [--device cpu|software|NAME] [--network MODEL] [--quick] [--trace FILE] [--json FILE]
         [--precision WORD] [--variant WORD]... [--without WORD]...

--device  cpu (the twins), software, or a part of an adapter's name; default the best there is
--network an ONNX file, at batches of 1, 16, 64 and 256, and nothing but it and the machine
--quick   rough figures in seconds
--trace   writes who did what when in an overlapped run, for Perfetto or chrome://tracing
--json    writes everything that was measured into this file as well";

#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) device: Option<String>,
    pub(crate) network: Option<PathBuf>,
    pub(crate) quick: bool,
    pub(crate) trace: Option<PathBuf>,
    pub(crate) json: Option<PathBuf>,
    pub(crate) variants: Variants,
}

/// `None` where only the help was asked for.
pub(crate) fn parse() -> Result<Option<Options>, Problem> {
    let mut options = Options::default();
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("device") => options.device = Some(arguments.value()?.string()?),
            Long("network") => options.network = Some(arguments.value()?.into()),
            Long("quick") => options.quick = true,
            Long("trace") => options.trace = Some(arguments.value()?.into()),
            Long("json") => options.json = Some(arguments.value()?.into()),
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
