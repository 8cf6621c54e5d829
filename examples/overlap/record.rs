//! Files about the two ways: who did what when in the overlapped one, and a picture of both.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;

use gapless::Timeline;
use gapless::file::NewFile;

use crate::terminal::Problem;

/// The files that were asked for. They are begun before anything is measured, so that one that cannot be written is
/// said at once, and are there when they are whole.
#[derive(Debug, Default)]
pub(crate) struct Record {
    trace: RefCell<Option<NewFile>>,
    svg: RefCell<Option<NewFile>>,
}

impl Record {
    pub(crate) fn create(trace: Option<&Path>, svg: Option<&Path>) -> Result<Self, Problem> {
        let create = |option: &str, path: Option<&Path>| match path.map(NewFile::create).transpose() {
            Ok(file) => Ok(RefCell::new(file)),
            Err(cause) => Err(format!("{option} {cause}")),
        };
        Ok(Self { trace: create("--trace", trace)?, svg: create("--svg", svg)? })
    }

    /// Whether the runs have to be recorded.
    pub(crate) fn wanted(&self) -> bool {
        self.trace.borrow().is_some() || self.svg.borrow().is_some()
    }

    /// Writes what was asked for; the picture has all times `scale` times as long.
    pub(crate) fn write(
        &self,
        sequential: Timeline,
        overlapped: Timeline,
        scale: f64,
    ) -> Result<(), Problem> {
        if let Some(mut file) = self.trace.take() {
            let written = overlapped.write_trace(&mut file).map_err(Into::into).and_then(|()| file.finish());
            written.map_err(|cause| format!("--trace {cause}"))?;
        }
        if let Some(mut file) = self.svg.take() {
            let picture = Timeline::compare(&sequential.scaled(scale), &overlapped.scaled(scale));
            let written = file.write_all(picture.as_bytes()).map_err(Into::into).and_then(|()| file.finish());
            written.map_err(|cause| format!("--svg {cause}"))?;
        }
        Ok(())
    }
}
