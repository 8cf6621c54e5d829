//! Documents from files, by patterns.

mod once;
mod pattern;
#[cfg(all(test, unix))]
mod tests;
mod walk;

use std::fmt;
use std::iter::{FusedIterator, Peekable};
use std::path::Path;

use regex_lite::Regex;

use self::once::{Identity, Seen};
use self::pattern::Parts;
use self::walk::Walk;
use super::random::Random;
use super::{Doc, DocArray, blobs};
use crate::error::{Cause, Error};
use crate::file::{self, Most};

/// Documents that name files, and may hold what is in them.
///
/// A pattern has the wildcards of a shell: `*`, `?`, `[a-z]`, and `**` for any folders between, or at its end for all
/// that is below; a leading `~` is the user's home. Names that begin with a dot are found by a part of the pattern that
/// does so only, which never means `.` or `..`; names that are not UTF-8 are not found. Folders are left out, and links
/// to them are followed; `a/./b` and `a//b` are `a/b`.
///
/// The documents come sorted by their uri, each *file* once, by the first of its names, however many links and patterns
/// lead to it.
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
    max_file: u64,
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
        let (read, data_uri, max_file) = (Read::UriOnly, false, blobs::MOST);
        Self { patterns, recursive: true, limit, sample, exclude, read, data_uri, max_file }
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

    /// A file with more bytes is an error where files are read; less than 4 GiB by default, which is what a document
    /// can be on the wire, 0 for no limit. What is no regular file is an error too.
    ///
    /// ```
    /// # use gapless::doc::{FromFiles, Read};
    /// let error = FromFiles::new("photos/coffee.jpg").read(Read::Bytes).max_file(100).docs().unwrap_err();
    /// assert!(error.to_string().contains("photos/coffee.jpg: "));
    /// assert!(error.to_string().ends_with("more than the limit of 100 a file: see `max_file`"));
    /// ```
    pub fn max_file(self, bytes: u64) -> Self {
        Self { max_file: bytes, ..self }
    }

    /// Looks for the files and makes the documents.
    ///
    /// # Errors
    /// A setting makes no sense, a folder is missing or cannot be listed, or a file cannot be read: it names which.
    pub fn docs(self) -> Result<DocArray, Error> {
        self.find()?.collect()
    }

    /// The documents in the same order, each looked for when it is asked for: ten million files take no more memory
    /// than the names that stand before them in their folders, and a few bytes each to know that it was there.
    ///
    /// A folder that cannot be listed is an `Err`, and so is a file that cannot be read; the others follow.
    ///
    /// ```
    /// # use gapless::doc::FromFiles;
    /// let mut docs = FromFiles::new("photos/**/*.jpg").find()?;
    /// assert_eq!(docs.next().unwrap()?.uri, "photos/camera.jpg");
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// A setting makes no sense, or the folder of a pattern is missing.
    pub fn find(self) -> Result<FoundDocs, Error> {
        let exclude = self.excluded()?;
        let random = self.sampled()?;
        let walk = |pattern: &String| {
            let parts = parts(pattern, self.recursive)?;
            Ok(Walk::new(parts, exclude.clone()).peekable())
        };
        let walks = self.patterns.0.iter().map(walk).collect::<Result<_, Error>>()?;
        let left = self.limit.unwrap_or(usize::MAX);
        Ok(FoundDocs { walks, seen: Seen::default(), random, left, reading: self })
    }

    fn excluded(&self) -> Result<Option<Regex>, Error> {
        let Some(expression) = &self.exclude else { return Ok(None) };
        let anchored = Regex::new(&format!("^(?:{expression})"));
        anchored.map(Some).map_err(|error| setting("exclude", format!("{expression}: {error}")))
    }

    fn sampled(&self) -> Result<Option<(f64, Random)>, Error> {
        match self.sample {
            Some((rate, _)) if !(0.0..=1.0).contains(&rate) => {
                Err(setting("sample_rate", format!("{rate} is not between 0 and 1")))
            }
            sample => Ok(sample.map(|(rate, seed)| (rate, Random::new(seed)))),
        }
    }

    fn doc(&self, uri: String) -> Result<Doc, Cause> {
        let path = Path::new(&uri);
        let mut bytes = Vec::new();
        if self.read != Read::UriOnly || self.data_uri {
            file::read_into(path, Most { bytes: self.max_file, setting: "max_file" }, &mut bytes)?;
        }
        let text = match self.read {
            Read::Text => {
                Some(str::from_utf8(&bytes).map_err(|error| Cause::from(error).context(file::name(path)))?)
            }
            _ => None,
        };
        let mut doc = Doc::from_uri(&*uri);
        if self.data_uri {
            doc.uri = file::data_uri(&doc.mime_type, &bytes);
        }
        match text {
            Some(text) => doc.set_text(text),
            None if self.read == Read::Bytes => doc.set_blob(bytes),
            None => &mut doc,
        };
        Ok(doc)
    }
}

/// Documents that are found while they are asked for: see [`FromFiles::find`].
#[must_use = "no file is looked for until it is iterated over"]
pub struct FoundDocs {
    walks: Vec<Peekable<Walk>>,
    seen: Seen,
    random: Option<(f64, Random)>,
    left: usize,
    reading: FromFiles,
}

impl FoundDocs {
    /// The next path of all patterns.
    fn next_path(&mut self) -> Option<Result<String, Cause>> {
        let mut first: Option<(usize, &str)> = None;
        for (place, walk) in self.walks.iter_mut().enumerate() {
            match walk.peek() {
                Some(Ok(path)) if first.is_none_or(|(_, other)| path.as_str() < other) => {
                    first = Some((place, path))
                }
                Some(Ok(_)) | None => {}
                Some(Err(_)) => {
                    first = Some((place, ""));
                    break;
                }
            }
        }
        let (place, _) = first?;
        self.walks[place].next()
    }

    /// Its document, where it is a file that was not seen yet.
    fn taken(&mut self, path: String) -> Result<Option<Doc>, Cause> {
        // What is not there any more is no file.
        let is_new = Identity::of(Path::new(&path))?.is_some_and(|file| self.seen.add(file));
        if is_new && self.random.as_mut().is_none_or(|(rate, random)| random.share() < *rate) {
            return self.reading.doc(path).map(Some);
        }
        Ok(None)
    }
}

impl Iterator for FoundDocs {
    type Item = Result<Doc, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            let taken = self.next_path()?.and_then(|path| self.taken(path));
            if let Some(doc) = taken.transpose() {
                self.left -= usize::from(doc.is_ok());
                return Some(doc.map_err(|cause| Error::Documents { cause }));
            }
        }
        None
    }
}

impl FusedIterator for FoundDocs {}

impl fmt::Debug for FoundDocs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoundDocs").field("from", &self.reading).finish_non_exhaustive()
    }
}

fn parts(pattern: &str, recursive: bool) -> Result<Parts, Error> {
    let refused =
        |reason: String| setting("from_files", format!("{}: {reason}", file::name(Path::new(pattern))));
    let found = at_home(pattern);
    let folder = fixed_folder(&found);
    if !folder.is_dir() {
        return Err(refused(format!("there is no folder {}", file::name(folder))));
    }
    Parts::new(&found, recursive).map_err(refused)
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
