//! A failure as one line that names its file once.

use std::path::PathBuf;

use gapless::Failure;

/// The path and why. The loader puts the path before its causes; other causes do not know it.
pub(crate) fn named(failure: &Failure<PathBuf>) -> String {
    let (path, cause) =
        (format!("{}: ", crate::terminal::name(&failure.document)), failure.cause.to_string());
    if cause.starts_with(&path) { cause } else { path + &cause }
}
