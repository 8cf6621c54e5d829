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

use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;

use gapless::doc::{DocArray, Wire};
use terminal::Problem;

const HELP: &str = "wire: files of documents as lines of JSON, and back

usage: wire read FILE > docs.ndjson
       wire write FILE < docs.ndjson";

fn main() -> ExitCode {
    terminal::exit("wire", run())
}

fn run() -> Result<(), Problem> {
    let Some(arguments) = terminal::values(HELP)? else { return Ok(()) };
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["read", path] => read(path),
        ["write", path] => write(path),
        _ => Err(HELP.into()),
    }
}

fn read(path: &str) -> Result<(), Problem> {
    let file = gapless::file::open(path)?;
    let mut out = BufWriter::new(io::stdout().lock());
    for doc in Wire::of_path(path)?.read(BufReader::new(file)) {
        let doc = doc.map_err(|error| format!("{path}: {error}"))?;
        writeln!(out, "{}", json::of_doc(&doc)).map_err(terminal::stdout)?;
    }
    Ok(out.flush().map_err(terminal::stdout)?)
}

fn write(path: &str) -> Result<(), Problem> {
    let mut docs = DocArray::new();
    for (number, line) in (1..).zip(io::stdin().lock().lines()) {
        let line = line?;
        if !line.trim().is_empty() {
            docs.push(json::to_doc(&line).map_err(|error| format!("line {number}: {error}"))?);
        }
    }
    Ok(docs.save(path)?)
}
