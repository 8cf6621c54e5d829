//! What a program writes of each file: the file, and what gapless makes of it.
//!
//! For each seed there is a record on standard output, with numbers of four bytes in little endian: the description,
//! the kind and the file, each behind its length; a byte that is 0 where the file was decoded and 1 where it was
//! refused; then how many pictures, and of each height, width and RGB pixels; or the length and the text of the error.

use std::io::{self, BufWriter, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use gapless::Cause;

/// Height, width and RGB pixels.
pub type Picture = (u32, u32, Vec<u8>);

/// A file, and how it is called in what is printed.
pub struct File {
    /// What it is like.
    pub description: String,
    /// What it is counted among.
    pub kind: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// The `main` of a program with the arguments `FIRST COUNT`: writes a record for every seed.
pub fn records(file: fn(u64) -> File, decode: fn(&[u8]) -> Result<Vec<Picture>, String>) -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [first, count] = numbers[..] else {
        eprintln!("the arguments are FIRST COUNT: which seeds");
        return ExitCode::FAILURE;
    };
    // A panic is told in the stream.
    std::panic::set_hook(Box::new(|_| {}));
    let mut out = BufWriter::new(io::stdout().lock());
    let written = (first..first + count)
        .try_for_each(|seed| {
            let file = file(seed);
            record(&mut out, &file, pictures(decode, &file.bytes))
        })
        .and_then(|()| out.flush());
    // Who closes the pipe has read enough.
    ExitCode::from(u8::from(written.is_err_and(|error| error.kind() != io::ErrorKind::BrokenPipe)))
}

/// A tensor as a picture.
pub fn picture(tensor: Result<gapless::ndarray::Array3<u8>, Cause>) -> Result<Picture, String> {
    let pixels = tensor.map_err(|cause| cause.to_string())?;
    let (height, width, channels) = pixels.dim();
    if channels != 3 {
        return Err(format!("{channels} channels"));
    }
    Ok((height as u32, width as u32, pixels.iter().copied().collect()))
}

fn record(out: &mut impl Write, file: &File, pictures: Result<Vec<Picture>, String>) -> io::Result<()> {
    text(out, file.description.as_bytes())?;
    text(out, file.kind.as_bytes())?;
    text(out, &file.bytes)?;
    match pictures {
        Ok(pictures) => {
            out.write_all(&[0])?;
            out.write_all(&(pictures.len() as u32).to_le_bytes())?;
            pictures.iter().try_for_each(|(height, width, pixels)| {
                out.write_all(&height.to_le_bytes())?;
                out.write_all(&width.to_le_bytes())?;
                out.write_all(pixels)
            })
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

fn pictures(decode: fn(&[u8]) -> Result<Vec<Picture>, String>, file: &[u8]) -> Result<Vec<Picture>, String> {
    catch_unwind(AssertUnwindSafe(|| decode(file))).unwrap_or_else(|panic| {
        let said =
            panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        Err(format!("PANIC {}", said.unwrap_or("without words")))
    })
}
