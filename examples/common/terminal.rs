//! What the examples say, and where: results on stdout, complaints on stderr, and no panic on a broken pipe.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

pub(crate) type Problem = Box<dyn Error>;

/// A line on stdout.
///
/// # Errors
/// Nobody reads stdout any more, or it goes to a disk that is full.
pub(crate) fn print(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}").map_err(stdout)
}

/// A path as it is printed: whatever stands in it, it is part of one line.
#[allow(dead_code, reason = "shared by examples, not all of which print a path")]
pub(crate) fn name(path: impl AsRef<Path>) -> String {
    let breaks = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    let escaped =
        |letter: char| if breaks(letter) { letter.escape_default().to_string() } else { letter.into() };
    path.as_ref().display().to_string().chars().map(escaped).collect()
}

/// An error of stdout, which says so.
pub(crate) fn stdout(error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("stdout: {error}"))
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
            complain(&format!("{program}: {problem:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether this is only that nobody reads stdout any more.
pub(crate) fn unread(problem: &Problem) -> bool {
    let error = problem.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Whether `--json` was given; `None` where only the help was asked for.
///
/// # Errors
/// Anything else was given.
#[allow(dead_code, reason = "shared by examples, not all of which take this and no more")]
pub(crate) fn json_only(help: &str) -> Result<Option<bool>, Problem> {
    use lexopt::prelude::*;
    let (mut json, mut arguments) = (false, lexopt::Parser::from_env());
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("json") => json = true,
            Short('h') | Long("help") => {
                print(help)?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(json))
}

/// Whether to go on, where nothing but the help can be asked for.
///
/// # Errors
/// Anything else was given.
#[allow(dead_code, reason = "shared by examples, not all of which take nothing")]
pub(crate) fn goes_on(help: &str) -> Result<bool, Problem> {
    match values(help)?.as_deref() {
        None => Ok(false),
        Some([]) => Ok(true),
        Some([first, ..]) => Err(format!("{first}: nothing but --help can be given").into()),
    }
}

/// What stands on the command line besides `--help`; `None` where only the help was asked for.
///
/// # Errors
/// Another option was given.
#[allow(dead_code, reason = "shared by examples, not all of which take this and no more")]
pub(crate) fn values(help: &str) -> Result<Option<Vec<String>>, Problem> {
    use lexopt::prelude::*;
    let (mut values, mut arguments) = (Vec::new(), lexopt::Parser::from_env());
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(value) => values.push(value.string()?),
            Short('h') | Long("help") => {
                print(help)?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(values))
}
