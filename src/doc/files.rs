//! Documents from files, by patterns.

use std::path::{Path, PathBuf};

use glob::MatchOptions;
use regex_lite::Regex;

use super::random::Random;
use super::{Doc, DocArray, data_uri};
use crate::error::{Cause, Error};

/// Documents that name files, and may hold what is in them.
///
/// A pattern has the wildcards of a shell: `*`, `?`, `[a-z]`, and `**` for any folders between; a leading
/// `~` is the user's home. Names that begin with a dot are found by a part of the pattern that does so only;
/// names that are not UTF-8 are not found. Folders are left out. The documents come sorted by their uri, each file once.
///
/// A folder that is missing is an error, since that is nearly always a mistyped name; a folder without
/// matching files gives no documents.
///
/// ```
/// use gapless::doc::{FromFiles, Read};
/// let docs = FromFiles::new(["photos/*.jpg", "photos/*.md"])
///     .exclude("photos/(camera|retina)")
///     .read(Read::Bytes)
///     .limit(2)
///     .docs()?;
/// assert_eq!(docs.iter().map(|doc| doc.uri.as_str()).collect::<Vec<_>>(),
///     ["photos/README.md", "photos/chelsea.jpg"]);
/// assert!(docs[1].blob().unwrap().starts_with(&[0xFF, 0xD8]));
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "no file is looked for until `docs` is called"]
pub struct FromFiles {
    patterns: Patterns,
    recursive: bool,
    limit: Option<usize>,
    sample: Option<(f64, u64)>,
    exclude: Option<String>,
    read: Read,
    data_uri: bool,
}

/// One pattern or several: a text, an array or a vector of texts.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<String>);

impl From<&str> for Patterns {
    fn from(pattern: &str) -> Self {
        Self(vec![pattern.into()])
    }
}

impl From<String> for Patterns {
    fn from(pattern: String) -> Self {
        Self(vec![pattern])
    }
}

impl<S: Into<String>> From<Vec<S>> for Patterns {
    fn from(patterns: Vec<S>) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for Patterns {
    fn from(patterns: [S; N]) -> Self {
        Self(patterns.into_iter().map(Into::into).collect())
    }
}

impl From<&[&str]> for Patterns {
    fn from(patterns: &[&str]) -> Self {
        patterns.to_vec().into()
    }
}

/// What is read of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Read {
    /// Nothing: the document only names it.
    #[default]
    UriOnly,
    /// Its text, which must be UTF-8.
    Text,
    /// Its bytes.
    Bytes,
}

impl FromFiles {
    /// Files that match any of the patterns.
    pub fn new(patterns: impl Into<Patterns>) -> Self {
        let patterns = patterns.into();
        let (limit, sample, exclude) = (None, None, None);
        Self { patterns, recursive: true, limit, sample, exclude, read: Read::UriOnly, data_uri: false }
    }

    /// Whether `**` stands for any number of folders; else it is an ordinary `*`. Default true.
    pub fn recursive(self, recursive: bool) -> Self {
        Self { recursive, ..self }
    }

    /// At most so many documents; none with 0. Default all.
    pub fn limit(self, documents: usize) -> Self {
        Self { limit: Some(documents), ..self }
    }

    /// Takes each file with this probability, from 0 to 1; a seed takes the same ones everywhere. Default all.
    pub fn sample_rate(self, rate: f64, seed: u64) -> Self {
        Self { sample: Some((rate, seed)), ..self }
    }

    /// Leaves out files whose path matches this regular expression from its start. Default none.
    pub fn exclude(self, expression: impl Into<String>) -> Self {
        Self { exclude: Some(expression.into()), ..self }
    }

    /// What is read of each file. Default [`Read::UriOnly`].
    pub fn read(self, read: Read) -> Self {
        Self { read, ..self }
    }

    /// Puts the file itself into the uri, as a data URI. Default false.
    ///
    /// ```
    /// # use gapless::doc::FromFiles;
    /// let docs = FromFiles::new("photos/coffee.jpg").data_uri(true).docs()?;
    /// assert!(docs[0].uri.starts_with("data:image/jpeg;base64,/9j/"));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn data_uri(self, data_uri: bool) -> Self {
        Self { data_uri, ..self }
    }

    /// Looks for the files and makes the documents.
    ///
    /// # Errors
    /// A setting makes no sense, a folder is missing or cannot be listed, a file cannot be read, or its name
    /// is not UTF-8.
    pub fn docs(self) -> Result<DocArray, Error> {
        let exclude = self.excluded()?;
        let mut random = self.sampled()?;
        let mut uris = Vec::new();
        for pattern in &self.patterns.0 {
            find(pattern, self.recursive, &mut uris)?;
        }
        uris.sort();
        uris.dedup();
        uris.retain(|uri| !exclude.as_ref().is_some_and(|exclude| exclude.is_match(uri)));
        if let Some((rate, random)) = &mut random {
            uris.retain(|_| random.share() < *rate);
        }
        uris.truncate(self.limit.unwrap_or(usize::MAX));
        let docs: Result<Vec<Doc>, Error> = uris.into_iter().map(|uri| self.doc(uri)).collect();
        Ok(docs?.into())
    }

    fn excluded(&self) -> Result<Option<Regex>, Error> {
        let Some(expression) = &self.exclude else { return Ok(None) };
        let anchored = Regex::new(&format!("^(?:{expression})"));
        anchored.map(Some).map_err(|error| setting("exclude", error))
    }

    fn sampled(&self) -> Result<Option<(f64, Random)>, Error> {
        match self.sample {
            Some((rate, _)) if !(0.0..=1.0).contains(&rate) => {
                Err(setting("sample_rate", format!("{rate} is not between 0 and 1")))
            }
            sample => Ok(sample.map(|(rate, seed)| (rate, Random::new(seed)))),
        }
    }

    fn doc(&self, uri: String) -> Result<Doc, Error> {
        let failed =
            |cause: std::io::Error, uri: &str| Error::Documents { cause: Cause::from(cause).context(uri) };
        let path = uri.clone();
        let mut doc = Doc::from_uri(uri);
        match self.read {
            Read::UriOnly => {}
            Read::Text => {
                doc.set_text(std::fs::read_to_string(&path).map_err(|cause| failed(cause, &path))?);
            }
            Read::Bytes => {
                doc.set_blob(std::fs::read(&path).map_err(|cause| failed(cause, &path))?);
            }
        }
        if self.data_uri {
            let bytes = std::fs::read(&path).map_err(|cause| failed(cause, &path))?;
            doc.uri = data_uri::encode(&doc.mime_type, &bytes);
        }
        Ok(doc)
    }
}

/// Dots at the start of names are looked at here: with its own option for that, glob 0.3 finds no such name
/// whatever the pattern says, and panics at names that are not UTF-8.
const LIKE_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

/// Whether every hidden name in the path was asked for by a part of the pattern that begins with a dot too.
fn shown(path: &Path, folder: &Path, pattern: &str) -> bool {
    let inside = path.strip_prefix(folder).unwrap_or(path);
    inside.iter().map(|name| name.to_string_lossy()).filter(|name| name.starts_with('.')).all(|name| {
        let mut parts = pattern.split('/').filter(|part| part.starts_with('.'));
        parts.any(|part| glob::Pattern::new(part).is_ok_and(|part| part.matches(&name)))
    })
}

fn find(pattern: &str, recursive: bool, uris: &mut Vec<String>) -> Result<(), Error> {
    let mut pattern = at_home(pattern);
    if !recursive {
        pattern = pattern
            .split('/')
            .map(|part| if part == "**" { "*" } else { part })
            .collect::<Vec<_>>()
            .join("/");
    }
    let folder = fixed_folder(&pattern);
    if !folder.is_dir() {
        return Err(setting("from_files", format!("{pattern}: there is no folder {}", folder.display())));
    }
    let found = glob::glob_with(&pattern, LIKE_A_SHELL)
        .map_err(|error| setting("from_files", format!("{pattern}: {error}")))?;
    for path in found {
        let path = path.map_err(|error| Error::Documents { cause: error.into() })?;
        if shown(&path, folder, &pattern) && !path.is_dir() {
            uris.push(utf8(path)?);
        }
    }
    Ok(())
}

fn utf8(path: PathBuf) -> Result<String, Error> {
    path.into_os_string().into_string().map_err(|path| {
        let cause =
            Cause::msg(format_args!("{}: the name is not UTF-8, and a uri is", Path::new(&path).display()));
        Error::Documents { cause }
    })
}

/// The part of the pattern before the first wildcard, up to its last folder.
fn fixed_folder(pattern: &str) -> &Path {
    let fixed = &pattern[..pattern.find(['*', '?', '[']).unwrap_or(pattern.len())];
    match fixed.rfind('/') {
        Some(0) => Path::new("/"),
        Some(end) => Path::new(&fixed[..end]),
        None => Path::new("."),
    }
}

fn at_home(pattern: &str) -> String {
    match pattern.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => match std::env::home_dir() {
            Some(home) => format!("{}{rest}", glob::Pattern::escape(&home.to_string_lossy())),
            None => pattern.into(),
        },
        _ => pattern.into(),
    }
}

fn setting(name: &'static str, reason: impl ToString) -> Error {
    Error::Setting { name, reason: reason.to_string() }
}
