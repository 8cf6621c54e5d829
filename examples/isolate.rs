//! A decoder that aborts takes one document with it, and not the run.
//!
//! ```text
//! cargo run --release --example isolate
//! ```
//!
//! The decoder stands for a library that calls `abort` on bytes that it does not like; no
//! `catch_unwind` helps there. Run by `process::Isolated` it is called in child processes of this
//! program: the document that kills its child is a failure that names the signal and the child's last
//! words, and all others come out, with what the decoder changed in them.

#[path = "common/terminal.rs"]
mod terminal;

use std::process::ExitCode;

use gapless::parallel::Failed;
use gapless::parallel::process::{Isolated, serve};
use gapless::{Cause, OnFailure, parallel};
use terminal::{Problem, print};

/// Name and bytes of a document.
type Document = (String, Vec<u8>);

fn main() -> ExitCode {
    // First of all: in a child this never returns.
    serve(|functions| functions.add("decode", decode));
    terminal::exit("isolate", run())
}

/// Counts bytes, and aborts where one of them is not ASCII.
fn decode((name, bytes): &mut Document) -> Result<usize, Cause> {
    if !bytes.is_ascii() {
        eprintln!("decoder: assertion failed in {name}");
        std::process::abort();
    }
    bytes.make_ascii_uppercase();
    Ok(bytes.len())
}

fn run() -> Result<(), Problem> {
    let documents =
        [("one", &b"a text"[..]), ("two", b"\xff\xd8"), ("three", b"another text"), ("four", b"")];
    let documents = documents.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()));
    let stage = Isolated::<Document, usize>::new("decode");
    for outcome in parallel(stage, documents).workers(2).on_failure(OnFailure::Skip).run() {
        match outcome {
            Ok(outcome) => {
                let (name, bytes) = &outcome.document;
                print(&format!("{name}: {} bytes, {:?}", outcome.result, String::from_utf8_lossy(bytes)))?;
            }
            Err(Failed::Item(failure)) => print(&format!("{}: {failure}", failure.document.0))?,
            Err(Failed::Run(error)) => return Err(error.into()),
        }
    }
    Ok(())
}
