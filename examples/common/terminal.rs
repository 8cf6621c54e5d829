//! What the examples say, and where: results on stdout, complaints on stderr, and no panic on a broken pipe.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

pub(crate) type Problem = Box<dyn Error>;

/// A line on stdout.
///
/// # Errors
/// Nobody reads stdout any more.
pub(crate) fn print(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// A line on stderr; lost where nobody reads it.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How the program ends. A reader that has seen enough of stdout is no failure.
pub(crate) fn exit(program: &str, result: Result<(), Problem>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) if unread(&problem) => ExitCode::SUCCESS,
        Err(problem) => {
            complain(&format!("{program}: {problem}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether this is only that nobody reads stdout any more.
pub(crate) fn unread(problem: &Problem) -> bool {
    let error = problem.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
