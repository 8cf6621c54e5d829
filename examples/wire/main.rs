//! Shows and makes files of documents, as DocArray reads and writes them.
//!
//! ```text
//! cargo run --release --example wire -- read docs.protobuf.gzip > docs.ndjson
//! cargo run --release --example wire -- write docs.protobuf.lz4 < docs.ndjson
//! ```
//! A line of ndjson is one document; the fields have DocArray's names, and empty ones are left out. The
//! endings of a file's name say how its documents are compressed.

mod json;
#[path = "../common/terminal.rs"]
mod terminal;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;

use gapless::doc::{DocArray, Wire};

const USAGE: &str = "usage: wire read FILE > docs.ndjson\n       wire write FILE < docs.ndjson";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["read", path] => read(path),
        ["write", path] => write(path),
        _ => Err(USAGE.into()),
    };
    terminal::exit("wire", done)
}

fn read(path: &str) -> Result<(), Box<dyn Error>> {
    let file = File::open(path).map_err(|error| format!("{path}: {error}"))?;
    let mut out = BufWriter::new(io::stdout().lock());
    for doc in Wire::of_path(path)?.read(BufReader::new(file)) {
        writeln!(out, "{}", json::of_doc(&doc?))?;
    }
    Ok(out.flush()?)
}

fn write(path: &str) -> Result<(), Box<dyn Error>> {
    let mut docs = DocArray::new();
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let line = line?;
        if !line.trim().is_empty() {
            docs.push(json::to_doc(&line).map_err(|error| format!("line {number}: {error}"))?);
        }
    }
    Ok(docs.save(path)?)
}
