//! What a device chose, kept in a file for the next process: one for each adapter, driver and version of gapless.
//!
//! A file that cannot be read or written costs the time of a trial and is no error.

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::choices::Choice;
use crate::file;

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
        let mut hasher = DefaultHasher::new();
        title.hash(&mut hasher);
        Self { path: folder.join(format!("choices-{:016x}.txt", hasher.finish())), title }
    }

    /// What was chosen, by the keys of steps.
    pub(super) fn read(&self) -> Vec<(u64, Choice)> {
        let Ok(bytes) = file::read(&self.path, MOST) else { return Vec::new() };
        let text = String::from_utf8_lossy(&bytes);
        let mut lines = text.lines();
        if lines.next() != Some(&self.title) {
            return Vec::new();
        }
        lines.filter_map(parsed).collect()
    }

    /// Keeps what was chosen.
    pub(super) fn write<'a>(&self, choices: impl Iterator<Item = (u64, &'a Choice)>) {
        let mut choices: Vec<_> = choices.collect();
        choices.sort_by_key(|(key, _)| *key);
        let mut text = format!("{}\n", self.title);
        choices.into_iter().for_each(|(key, choice)| line(key, choice, &mut text));
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let _ = std::fs::create_dir_all(folder).map(|()| file::write(&self.path, text));
    }
}

/// The key, the variant, and each that is left out with its reason, apart by tabs.
fn line(key: u64, choice: &Choice, text: &mut String) {
    let Some(variant) = choice.variant else { return };
    let _ = write!(text, "{key:016x}\t{variant}");
    for (index, reason) in &choice.left_out {
        let _ = write!(text, "\t{index}\t{}", reason.replace(['\t', '\n'], " "));
    }
    text.push('\n');
}

fn parsed(line: &str) -> Option<(u64, Choice)> {
    let mut words = line.split('\t');
    let key = u64::from_str_radix(words.next()?, 16).ok()?;
    let mut choice = Choice { variant: Some(words.next()?.parse().ok()?), left_out: Vec::new() };
    while let Some(index) = words.next() {
        choice.left_out.push((index.parse().ok()?, words.next()?.to_owned()));
    }
    Some((key, choice))
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
        let left_out = vec![(2, "it gives 1\tand not 2".to_owned())];
        let choices = [
            (7, Choice { variant: Some(1), left_out }),
            (8, Choice { variant: None, left_out: Vec::new() }),
            (u64::MAX, Choice { variant: Some(0), left_out: Vec::new() }),
        ];
        cache.write(choices.iter().map(|(key, choice)| (*key, choice)));
        let read = cache.read();
        assert_eq!(
            read.iter().map(|(key, choice)| (*key, choice.variant)).collect::<Vec<_>>(),
            [(7, Some(1)), (u64::MAX, Some(0))]
        );
        assert_eq!(read[0].1.left_out, [(2, "it gives 1 and not 2".to_owned())]);
        assert!(Cache::in_folder(&folder, "a card, another driver").read().is_empty());
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn lines_that_are_none_are_passed_over() {
        for line in ["", "7", "x\t1", "7\tx", "7\t1\t2", "7\t1\tx\treason"] {
            assert!(parsed(line).is_none(), "{line:?}");
        }
    }
}
