//! Writes JPEG files and what gapless makes of them: `jpegs FIRST COUNT`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gapless::image::Loader;
use gapless_photos::jpeg::{Layout, write};
use gapless_photos::record::{File, picture, records};

fn main() -> ExitCode {
    let file = |seed| {
        let layout = Layout::random(seed);
        File { description: layout.describe(), kind: layout.kind(), bytes: write(&layout) }
    };
    records(file, |file| Ok(vec![picture(Loader::own_size().decode(file))?]))
}
