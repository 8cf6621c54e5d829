//! Photos that a command line names, or some of the repository's.

use std::path::{Path, PathBuf};

use crate::terminal::{Problem, print};

/// The words of a command line that takes no option but `--help`; `None` where that was asked for.
///
/// # Errors
/// Another option was given.
pub(crate) fn words(help: &str) -> Result<Option<Vec<String>>, Problem> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().find(|word| word.starts_with('-')) {
        None => Ok(Some(words)),
        Some(word) if word == "--help" || word == "-h" => {
            print(help)?;
            Ok(None)
        }
        Some(word) => Err(format!("{word} is no option; {help}").into()),
    }
}

/// The photos of these names, or three that lie in the repository where none is named.
pub(crate) fn photos(names: &[String]) -> Vec<PathBuf> {
    if !names.is_empty() {
        return names.iter().map(PathBuf::from).collect();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("photos");
    ["chelsea.jpg", "coffee.jpg", "rocket.jpg"].map(|name| folder.join(name)).into()
}
