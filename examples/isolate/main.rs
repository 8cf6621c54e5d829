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

#[cfg(unix)]
mod decoder;
#[path = "../common/terminal.rs"]
mod terminal;

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    // First of all: in a child this never returns.
    gapless::parallel::process::serve(|functions| functions.add("decode", decoder::decode));
    terminal::exit("isolate", decoder::run())
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    terminal::exit("isolate", Err("child processes are there on Unix only".into()))
}
