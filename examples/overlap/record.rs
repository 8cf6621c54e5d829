//! Files about the two ways: who did what when in the overlapped one, and a picture of both.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use gapless::Timeline;

use crate::terminal::Problem;

/// The files that were asked for. They are made before anything is measured, so that one that cannot be written
/// is said at once.
#[derive(Debug, Default)]
pub(crate) struct Record {
    trace: Option<(PathBuf, File)>,
    svg: Option<(PathBuf, File)>,
}

impl Record {
    pub(crate) fn create(trace: Option<&Path>, svg: Option<&Path>) -> Result<Self, Problem> {
        let create = |option: &str, path: &Path| match File::create(path) {
            Ok(file) => Ok((path.to_owned(), file)),
            Err(error) => Err(format!("{option} {}: {error}", path.display())),
        };
        Ok(Self {
            trace: trace.map(|path| create("--trace", path)).transpose()?,
            svg: svg.map(|path| create("--svg", path)).transpose()?,
        })
    }

    /// Whether the runs have to be recorded.
    pub(crate) fn wanted(&self) -> bool {
        self.trace.is_some() || self.svg.is_some()
    }

    /// Writes what was asked for; the picture has all times `scale` times as long.
    pub(crate) fn write(
        &self,
        sequential: Timeline,
        overlapped: Timeline,
        scale: f64,
    ) -> Result<(), Problem> {
        if let Some((path, file)) = &self.trace {
            let mut out = BufWriter::new(file);
            let written = overlapped.write_trace(&mut out).and_then(|()| out.flush());
            written.map_err(|error| format!("--trace {}: {error}", path.display()))?;
        }
        if let Some((path, file)) = &self.svg {
            let mut file: &File = file;
            let picture = Timeline::compare(&sequential.scaled(scale), &overlapped.scaled(scale));
            let written = file.write_all(picture.as_bytes());
            written.map_err(|error| format!("--svg {}: {error}", path.display()))?;
        }
        Ok(())
    }
}
