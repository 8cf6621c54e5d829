//! What a device chose, kept in a file for the next process: one for each adapter, driver and version of gapless.
//!
//! A file that cannot be read or written costs the time of a trial and is no error.

use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choices::Known;
use crate::file;
use crate::gpu::plan::Fnv;

/// The variable that names the folder; nothing is kept where it is empty.
const VARIABLE: &str = "GAPLESS_CACHE";
/// Most bytes of a file; one that is larger begins anew.
const MOST: u64 = 16 << 20;

/// The file of one device.
#[derive(Debug)]
pub(super) struct Cache {
    path: PathBuf,
    /// Its first line, which says what it holds for.
    title: String,
}

impl Cache {
    /// The file of a device of which this is known, if files are kept.
    pub(super) fn of(device: &str) -> Option<Self> {
        Some(Self::in_folder(&folder()?, device))
    }

    fn in_folder(folder: &Path, device: &str) -> Self {
        let title = format!("gapless {}: {}", env!("CARGO_PKG_VERSION"), device.replace('\n', " "));
        let mut hasher = Fnv::default();
        title.hash(&mut hasher);
        Self { path: folder.join(format!("choices-{:016x}.txt", hasher.finish())), title }
    }

    /// What other processes wrote.
    pub(super) fn read(&self) -> Known {
        let mut known = Known::default();
        let Ok(bytes) = file::read(&self.path, MOST) else { return known };
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        if lines.next() == Some(&self.title) {
            lines.for_each(|line| {
                let _ = parse(line, &mut known);
            });
        }
        known
    }

    /// Keeps what is known.
    pub(super) fn write(&self, known: &Known) {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let text = format!("{}\n{}", self.title, lines(known));
        let _ = std::fs::create_dir_all(folder).map(|()| file::write(&self.path, text));
    }
}

/// A line for each thing that is known: what it is, and what belongs to it, apart by tabs.
fn lines(known: &Known) -> String {
    let mut text = String::new();
    for ((key, rows), variant) in &known.chosen {
        let _ = writeln!(text, "chosen\t{key:016x}\t{rows}\t{variant}");
    }
    for (key, (variant, reason)) in
        known.left_out.iter().flat_map(|(key, all)| all.iter().map(move |one| (key, one)))
    {
        let _ = writeln!(text, "left out\t{key:016x}\t{variant}\t{}", reason.replace(['\t', '\n'], " "));
    }
    for key in &known.proven {
        let _ = writeln!(text, "proven\t{key:016x}");
    }
    for (key, pace) in &known.paces {
        let _ = writeln!(text, "pace\t{key:016x}\t{}", pace.as_nanos());
    }
    text
}

/// Adds what a line says, if it says something.
fn parse(line: &str, known: &mut Known) -> Option<()> {
    let words: Vec<&str> = line.split('\t').collect();
    let key = u64::from_str_radix(words.get(1)?, 16).ok()?;
    match words[..] {
        ["chosen", _, rows, variant] => {
            known.chosen.insert((key, rows.parse().ok()?), variant.parse().ok()?);
        }
        ["left out", _, variant, reason] => known.leave_out(key, variant.parse().ok()?, reason.into()),
        ["proven", _] => drop(known.proven.insert(key)),
        ["pace", _, nanos] => drop(known.paces.insert(key, Duration::from_nanos(nanos.parse().ok()?))),
        _ => {}
    }
    Some(())
}

/// Where files are kept: as the variable says, else where the system keeps what can be made again.
fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if std::env::var_os(VARIABLE).is_some() {
        return named(VARIABLE);
    }
    let caches = if cfg!(windows) {
        named("LOCALAPPDATA")?
    } else if cfg!(target_vendor = "apple") {
        named("HOME")?.join("Library/Caches")
    } else {
        named("XDG_CACHE_HOME").or_else(|| Some(named("HOME")?.join(".cache")))?
    };
    Some(caches.join("gapless"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_another_device_has_a_file_of_its_own() {
        let folder = std::env::temp_dir().join(format!("gapless-cache-{}", std::process::id()));
        let cache = Cache::in_folder(&folder, "a card, a driver");
        let known = |reason: &str| Known {
            chosen: [((7, 1), 2), ((7, 64), 0), ((u64::MAX, 1), 1)].into(),
            left_out: [(7, vec![(1, reason.to_owned())])].into(),
            proven: [9].into(),
            paces: [(11, Duration::from_nanos(1_234))].into(),
        };
        cache.write(&known("it gives 1\tand not 2"));
        assert_eq!(cache.read(), known("it gives 1 and not 2"));
        assert_eq!(Cache::in_folder(&folder, "a card, another driver").read(), Known::default());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        let mut known = Known::default();
        for line in [
            "",
            "7",
            "chosen\tx\t1\t1",
            "chosen\t7\t1",
            "chosen\t7\t1\tx",
            "left out\t7\tx\treason",
            "pace\t7",
        ] {
            let _ = parse(line, &mut known);
        }
        assert_eq!(known, Known::default());
    }
}
