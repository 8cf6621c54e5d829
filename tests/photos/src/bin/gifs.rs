//! Writes GIF files and what gapless makes of them: `gifs FIRST COUNT`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use gapless::image::Loader;
use gapless_photos::gif::file;
use gapless_photos::record::{Picture, picture, records};

fn main() -> ExitCode {
    records(file, decode)
}

/// All frames, of which the first is what is loaded.
fn decode(file: &[u8]) -> Result<Vec<Picture>, String> {
    let loaded = picture(Loader::own_size().decode(file));
    let frames = match Loader::own_size().frames(file) {
        Ok(frames) => frames.into_iter().map(|frame| picture(Ok(frame))).collect::<Result<Vec<_>, _>>()?,
        // What is behind the first frame may be damaged.
        Err(cause) => return Err(cause.to_string()),
    };
    if loaded.as_ref().ok() != frames.first() {
        return Err("PANIC the first frame is not what is loaded".into());
    }
    Ok(frames)
}
