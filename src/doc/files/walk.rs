//! The files of one pattern, in the order of their paths, found while they are asked for.
//!
//! A folder is read when its turn comes and holds only the names that stand before the files that were asked for: at
//! most [`NAMES`] at once, and a folder with more is read again. So memory does not grow with the files.
//!
//! Links to folders are followed. A folder is not gone into from within itself, nor a second time from the same places
//! of the pattern, since it holds the same files then.

use std::collections::{BinaryHeap, HashSet, VecDeque};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use regex_lite::Regex;

use super::once::Identity;
use super::pattern::{Parts, Places};
use crate::error::Cause;
use crate::file::name as said;

/// Most names of one folder that are held at once.
const NAMES: usize = 1 << 18;

/// The files of one pattern: see the module.
pub(super) struct Walk {
    parts: Parts,
    exclude: Option<Regex>,
    /// Where it begins, before it has begun.
    start: Option<(String, Places)>,
    /// The folders that the walk is in, outermost first.
    folders: Vec<Folder>,
    /// Folders that were gone through, with nothing left out.
    done: HashSet<Key>,
    names: usize,
}

/// A folder, and from where of the pattern its names are looked at.
type Key = (Identity, Places);

struct Folder {
    /// With a slash at its end; nothing for the folder of this process.
    path: String,
    key: Key,
    /// Names in their order, each with a slash where it is a folder.
    names: VecDeque<String>,
    /// The last of them, where there are more behind it.
    rest: Option<String>,
    /// Whether something in it was left out that another path to it would find.
    partial: bool,
}

impl Walk {
    pub(super) fn new(parts: Parts, exclude: Option<Regex>) -> Self {
        Self::with_names(parts, exclude, NAMES)
    }

    pub(super) fn with_names(parts: Parts, exclude: Option<Regex>, names: usize) -> Self {
        let start = Some((parts.root.to_owned(), parts.start()));
        Self { exclude, start, folders: Vec::new(), done: HashSet::new(), names, parts }
    }

    /// Goes into a folder, unless all that is in it was found.
    fn enter(&mut self, path: String, places: Places) -> Result<(), Cause> {
        let Some(identity) = Identity::of(Path::new(or_here(&path)))? else { return Ok(()) };
        let key = (identity, places);
        if self.folders.iter().any(|folder| folder.key == key) {
            let left_out = self.exclude.is_some();
            self.folders.iter_mut().for_each(|folder| folder.partial |= left_out);
        } else if !self.done.contains(&key) {
            let (names, rest) = (VecDeque::new(), Some(String::new()));
            self.folders.push(Folder { path, key, names, rest, partial: false });
        }
        Ok(())
    }

    fn leave(&mut self) {
        let Some(left) = self.folders.pop() else { return };
        if !left.partial {
            self.done.insert(left.key);
        } else if let Some(folder) = self.folders.last_mut() {
            folder.partial = true;
        }
    }

    /// Reads the next names of the folder that the walk is in.
    fn read(&mut self, after: &str) -> Result<(), Cause> {
        let Self { parts, folders, names: most, .. } = self;
        let Some(folder) = folders.last_mut() else { return Ok(()) };
        let mut first = First { most: *most, names: BinaryHeap::new(), more: false };
        let places = &folder.key.1;
        let mut add = |name: &str, is_folder: &dyn Fn() -> bool| {
            let matched = parts.name(name, places);
            if !matched.whole && matched.inside.is_empty() {
                return;
            }
            let inside = is_folder();
            if if inside { !matched.inside.is_empty() } else { matched.whole } {
                let name = format!("{name}{}", if inside { "/" } else { "" });
                if *name > *after {
                    first.add(name);
                }
            }
        };
        let lists = parts.lists(places);
        if lists {
            each_name(&folder.path, &mut add)?;
        }
        // No list has `..`; what it has is not looked up again.
        for name in parts.names(places).filter(|name| !lists || *name == "..") {
            let path = format!("{}{name}", folder.path);
            if fs::symlink_metadata(&path).is_ok() {
                add(name, &|| Path::new(&path).is_dir());
            }
        }
        let more = first.more;
        folder.names = first.names.into_sorted_vec().into();
        folder.rest = folder.names.back().filter(|_| more).cloned();
        Ok(())
    }
}

impl Walk {
    /// One step on; with the path of a file, where it comes to one.
    fn step(&mut self) -> Result<Option<String>, Cause> {
        if let Some((path, places)) = self.start.take() {
            self.enter(path, places)?;
        }
        let Some(folder) = self.folders.last_mut() else { return Ok(None) };
        let Some(name) = folder.names.pop_front() else {
            match folder.rest.take() {
                Some(after) => self.read(&after)?,
                None => self.leave(),
            }
            return Ok(None);
        };
        let path = format!("{}{name}", folder.path);
        if let Some(name) = name.strip_suffix('/') {
            let inside = self.parts.name(name, &folder.key.1).inside;
            self.enter(path, inside)?;
        } else if self.exclude.as_ref().is_some_and(|exclude| exclude.is_match(&path)) {
            folder.partial = true;
        } else {
            return Ok(Some(path));
        }
        Ok(None)
    }
}

impl Iterator for Walk {
    type Item = Result<String, Cause>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.start.is_some() || !self.folders.is_empty() {
            if let Some(path) = self.step().transpose() {
                return Some(path);
            }
        }
        None
    }
}

/// The first names of many, in their order.
struct First {
    most: usize,
    names: BinaryHeap<String>,
    /// Whether there are others behind them.
    more: bool,
}

impl First {
    fn add(&mut self, name: String) {
        self.names.push(name);
        if self.names.len() > self.most {
            self.names.pop();
            self.more = true;
        }
    }
}

fn or_here(path: &str) -> &str {
    if path.is_empty() { "." } else { path }
}

/// Calls this with each name in a folder that is UTF-8, and a way to know whether it is a folder.
fn each_name(folder: &str, add: &mut dyn FnMut(&str, &dyn Fn() -> bool)) -> Result<(), Cause> {
    let folder = Path::new(or_here(folder));
    let at = |error: std::io::Error| Cause::from(error).context(said(folder));
    let entries = match fs::read_dir(folder) {
        // It went away since its name was read.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(at)?,
    };
    for entry in entries {
        let entry = entry.map_err(at)?;
        let is_folder = || match entry.file_type() {
            Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
            kind => kind.is_ok_and(|kind| kind.is_dir()),
        };
        if let Some(name) = entry.file_name().to_str() {
            add(name, &is_folder);
        }
    }
    Ok(())
}
