//! Writes files and what gapless makes of them: `jpegs FIRST COUNT`.
//!
//! For each seed there is a record on standard output, with numbers of four bytes in little endian: the description,
//! the kind and the file, each behind its length; a byte that is 0 where the file was decoded and 1 where it was
//! refused; then height, width and RGB pixels, or the length and the text of the error.
#![forbid(unsafe_code)]

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use gapless::image::Loader;
use gapless_jpegs::{Layout, write};

/// Height, width and RGB pixels.
type Picture = (u32, u32, Vec<u8>);

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [first, count] = numbers[..] else {
        eprintln!("usage: jpegs FIRST COUNT");
        return ExitCode::FAILURE;
    };
    // A panic is told in the stream.
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = BufWriter::new(io::stdout().lock());
    let written =
        (first..first + count).try_for_each(|seed| record(&mut out, seed)).and_then(|()| out.flush());
    // Who closes the pipe has read enough.
    ExitCode::from(u8::from(written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe)))
}

fn record(out: &mut impl Write, seed: u64) -> io::Result<()> {
    let layout = Layout::random(seed);
    let file = write(&layout);
    text(out, layout.describe().as_bytes())?;
    text(out, layout.kind().as_bytes())?;
    text(out, &file)?;
    match decoded(&file) {
        Ok((height, width, pixels)) => {
            out.write_all(&[0])?;
            out.write_all(&height.to_le_bytes())?;
            out.write_all(&width.to_le_bytes())?;
            out.write_all(&pixels)
        }
        Err(error) => {
            out.write_all(&[1])?;
            text(out, error.as_bytes())
        }
    }
}

fn text(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    out.write_all(&(bytes.len() as u32).to_le_bytes())?;
    out.write_all(bytes)
}

fn decoded(file: &[u8]) -> Result<Picture, String> {
    let decode = || {
        let pixels = Loader::own_size().decode(file).map_err(|cause| cause.to_string())?;
        let (height, width, channels) = pixels.dim();
        if channels != 3 {
            return Err(format!("{channels} channels"));
        }
        Ok((height as u32, width as u32, pixels.iter().copied().collect()))
    };
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|panic| {
        let said =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("PANIC {}", said.unwrap_or("without words")))
    })
}
