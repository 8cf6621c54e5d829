//! Patterns as a shell has them, part by part.

use std::collections::BTreeSet;

use glob::{MatchOptions, Pattern};

/// What one part of a path may be.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// `**`: any number of folders, and at the end any file below.
    Folders,
    /// A name as it stands; it may be `..`.
    Name(String),
    /// A name with wildcards.
    Wild(Pattern),
}

/// A pattern, cut at its slashes.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// With what each path begins: `/` or nothing.
    pub(super) root: &'static str,
    parts: Vec<Part>,
}

/// Places in a pattern from where the rest of a path may go on: its parts from there match what is in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Places(BTreeSet<usize>);

impl Places {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a name in a folder may be.
pub(super) struct Matched {
    /// Whether it is a file that was looked for, where it is one.
    pub(super) whole: bool,
    /// From where the pattern goes on in it, where it is a folder.
    pub(super) inside: Places,
}

impl Parts {
    /// Cuts a pattern; `**` is `*` where it is not `recursive`. The error says what is wrong with it.
    pub(super) fn new(pattern: &str, recursive: bool) -> Result<Self, String> {
        let root = if pattern.starts_with('/') { "/" } else { "" };
        // What ends in a slash or a dot means a folder.
        let folder = [".", ""].contains(&pattern.rsplit('/').next().unwrap_or_default()).then_some(".");
        let parts = pattern.split('/').filter(|part| !matches!(*part, "" | ".")).chain(folder);
        let part = |part: &str| {
            Ok(match part {
                "**" if recursive => Part::Folders,
                "**" => Part::Wild(Pattern::new("*").map_err(|error| error.to_string())?),
                part if part.contains(['*', '?', '[']) => {
                    Part::Wild(Pattern::new(part).map_err(|error| format!("{part}: {error}"))?)
                }
                part => Part::Name(part.to_owned()),
            })
        };
        Ok(Self { root, parts: parts.map(part).collect::<Result<_, String>>()? })
    }

    /// The places at which a path begins.
    pub(super) fn start(&self) -> Places {
        let mut places = Places::default();
        self.reach(0, &mut places);
        places
    }

    /// From `place` on; `**` is also no folder at all.
    fn reach(&self, place: usize, places: &mut Places) {
        if place < self.parts.len() {
            places.0.insert(place);
        }
        if self.parts.get(place) == Some(&Part::Folders) {
            self.reach(place + 1, places);
        }
    }

    /// What this name in a folder may be, where the pattern goes on from these places.
    pub(super) fn name(&self, name: &str, places: &Places) -> Matched {
        let mut matched = Matched { whole: false, inside: Places::default() };
        for &place in &places.0 {
            let (fits, next) = match &self.parts[place] {
                Part::Folders => (!is_hidden(name), place),
                Part::Name(part) => (part == name, place + 1),
                Part::Wild(part) => (shows(part, name) && part.matches_with(name, CASE), place + 1),
            };
            let last = place + 1 == self.parts.len();
            matched.whole |= fits && last;
            if fits && (next == place || !last) {
                self.reach(next, &mut matched.inside);
            }
        }
        matched
    }

    /// Whether a folder has to be listed to know what of it matches.
    pub(super) fn lists(&self, places: &Places) -> bool {
        places.0.iter().any(|place| !matches!(self.parts[*place], Part::Name(_)))
    }

    /// Names that are looked up and not listed.
    pub(super) fn names(&self, places: &Places) -> impl Iterator<Item = &str> {
        let part = |place: &usize| match &self.parts[*place] {
            Part::Name(name) => Some(name.as_str()),
            _ => None,
        };
        places.0.iter().filter_map(part)
    }
}

const CASE: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

fn is_hidden(name: &str) -> bool {
    name.starts_with('.')
}

/// A hidden name is found by what begins with a dot itself only: no wildcard stands for that dot.
fn shows(part: &Pattern, name: &str) -> bool {
    !is_hidden(name) || part.as_str().starts_with('.')
}
