//! The decoder that aborts, and the run that goes on.

use gapless::parallel::Failed;
use gapless::parallel::process::Isolated;
use gapless::{Cause, OnFailure, parallel};

use crate::terminal::{Problem, goes_on, print};

/// Name and bytes of a document.
type Document = (String, Vec<u8>);

/// Counts bytes, and aborts where one of them is not ASCII.
pub(crate) fn decode((name, bytes): &mut Document) -> Result<usize, Cause> {
    if !bytes.is_ascii() {
        eprintln!("decoder: assertion failed in {name}");
        std::process::abort();
    }
    bytes.make_ascii_uppercase();
    Ok(bytes.len())
}

pub(crate) fn run() -> Result<(), Problem> {
    if !goes_on("isolate: a decoder that aborts costs one document and not the run; no options")? {
        return Ok(());
    }
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
