//! Random trees and patterns: what is found is what a simple reference finds, and a shell.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::pattern::Parts;
use super::walk::Walk;
use super::{FromFiles, Random};

const NAMES: [&str; 8] = ["a", "b", "c", "a.txt", "b.txt", ".h", ".h.txt", "ü[1].txt"];
const PARTS: [&str; 14] =
    ["*", "**", "**", "?", "[ab]", "*.txt", ".*", "a", "b", ".h", "..", ".", "[!a]*", "*[[]*"];
/// Folders that the reference goes into, one in another.
const DEPTH: usize = 7;

fn below(random: &mut Random, end: usize) -> usize {
    ((random.share() * end as f64) as usize).min(end - 1)
}

struct Tree(PathBuf);

impl Tree {
    /// An empty one, in empty folders: no pattern gets above these.
    fn new(name: &str) -> Self {
        let above = std::env::temp_dir().join(format!("gapless-walk-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&above);
        let tree = Self(above.join("1/2/3/4/5"));
        fs::create_dir_all(&tree.0).expect("a folder");
        tree
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = self.0.ancestors().nth(5).map(fs::remove_dir_all);
    }
}

/// A small tree; with `links` also files and folders of several names, in circles too.
fn tree(random: &mut Random, name: &str, links: bool) -> Tree {
    let tree = Tree::new(name);
    let mut folders = vec![tree.0.clone()];
    let mut all = folders.clone();
    for _ in 0..14 {
        let path = folders[below(random, folders.len())].join(NAMES[below(random, NAMES.len())]);
        let other = all[below(random, all.len())].clone();
        // What is there already stays.
        let _made = match below(random, if links { 9 } else { 6 }) {
            0..3 => fs::create_dir(&path).map(|()| folders.push(path.clone())),
            3..6 => fs::File::create_new(&path).map(drop),
            6 => fs::hard_link(other, &path),
            7 => symlink(other, &path),
            _ => symlink("nowhere", &path),
        };
        all.push(path);
    }
    tree
}

fn pattern(random: &mut Random) -> String {
    let count = 1 + below(random, 4);
    (0..count).map(|_| PARTS[below(random, PARTS.len())]).collect::<Vec<_>>().join("/")
}

/// Whether a name is of this part, letter by letter.
fn fits(part: &[char], name: &[char]) -> bool {
    match part {
        [] => name.is_empty(),
        ['*', rest @ ..] => (0..=name.len()).any(|cut| fits(rest, &name[cut..])),
        ['?', rest @ ..] => !name.is_empty() && fits(rest, &name[1..]),
        ['[', rest @ ..] => {
            let end = rest.iter().position(|letter| *letter == ']').expect("its end");
            let (not, set) = if rest[0] == '!' { (true, &rest[1..end]) } else { (false, &rest[..end]) };
            !name.is_empty() && set.contains(&name[0]) != not && fits(&rest[end + 1..], &name[1..])
        }
        [letter, rest @ ..] => name.first() == Some(letter) && fits(rest, &name[1..]),
    }
}

/// Whether a path is of this pattern, part by part.
fn matches(parts: &[&str], names: &[&str]) -> bool {
    match (parts, names) {
        ([], names) => names.is_empty(),
        (["**"], []) => false,
        (["**"], [name]) => !name.starts_with('.'),
        (["**", rest @ ..], names) => {
            matches(rest, names)
                || names.first().is_some_and(|name| !name.starts_with('.') && matches(parts, &names[1..]))
        }
        ([part, rest @ ..], [name, names @ ..]) => {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            let hidden = name.starts_with('.') && !part.starts_with('.');
            let shown = if *name == ".." { part == name } else { !hidden };
            shown && fits(&letters(part), &letters(name)) && matches(rest, names)
        }
        _ => false,
    }
}

fn parts(pattern: &str) -> Vec<&str> {
    pattern.split('/').filter(|part| *part != ".").collect()
}

/// Whether a file is of this pattern. What ends in a dot means a folder.
fn is_of(path: &str, pattern: &str) -> bool {
    let names: Vec<&str> = path.split('/').collect();
    matches(&parts(pattern), &names) && !pattern.ends_with("/.") && pattern != "."
}

/// All paths of files in a tree, as far as the depth goes, with which file each is.
fn paths(root: &Path, folder: &Path, (inside, depth): (&str, usize), all: &mut BTreeMap<String, (u64, u64)>) {
    let names = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a name").file_name());
    for name in names.map(|name| name.into_string().expect("UTF-8")).chain(["..".into()]) {
        let path = folder.join(&name);
        let inside = if inside.is_empty() { name } else { format!("{inside}/{name}") };
        if path.is_dir() {
            let in_the_tree = path.canonicalize().expect("a folder").starts_with(root);
            if depth < DEPTH && in_the_tree {
                paths(root, &path, (&inside, depth + 1), all);
            }
        } else {
            let metadata = fs::metadata(&path).or_else(|_| fs::symlink_metadata(&path)).expect("a file");
            all.insert(inside, (metadata.dev(), metadata.ino()));
        }
    }
}

/// What is found in a tree, without its root.
fn found(root: &Path, pattern: &str) -> Vec<String> {
    let at = format!("{}/", root.display());
    let docs = FromFiles::new(format!("{at}{pattern}")).docs();
    // A folder of the pattern that is not there is an error, and where a shell finds nothing.
    let docs = docs.map(super::DocArray::into_vec).unwrap_or_default();
    docs.into_iter().map(|doc| doc.uri.strip_prefix(&at).expect("below the root").to_owned()).collect()
}

#[test]
fn each_file_that_a_pattern_matches_is_found_once_whatever_links_there_are() {
    let mut random = Random::new(1);
    for round in 0..60 {
        let tree = tree(&mut random, "links", round % 3 > 0);
        let mut all = BTreeMap::new();
        paths(&tree.0.canonicalize().expect("a folder"), &tree.0, ("", 0), &mut all);
        for _ in 0..25 {
            let pattern = pattern(&mut random);
            let is = |path: &str| is_of(path, &pattern);
            let wanted: BTreeSet<_> =
                all.iter().filter(|(path, _)| is(path)).map(|(_, file)| *file).collect();
            let found = found(&tree.0, &pattern);
            assert!(found.is_sorted(), "{pattern}: {found:?}");
            assert!(found.iter().all(|path| is(path)), "{pattern}: {found:?}");
            let mut files = BTreeSet::new();
            for path in &found {
                let path = tree.0.join(path);
                let metadata = fs::metadata(&path).or_else(|_| fs::symlink_metadata(&path)).expect("a file");
                assert!(files.insert((metadata.dev(), metadata.ino())), "{pattern}: {found:?}");
            }
            assert!(wanted.is_subset(&files), "{pattern}: {found:?} of {all:?}");
        }
    }
}

#[test]
fn a_pattern_finds_what_a_shell_finds() {
    let shell = |folder: &Path, pattern: &str| {
        let script = format!("shopt -s globstar nullglob; LC_ALL=C.UTF-8; printf '%s\\n' {pattern}");
        Some(Command::new("bash").args(["-c", &script]).current_dir(folder).output().ok()?.stdout)
    };
    if shell(Path::new("/"), "*").is_none() {
        println!("there is no bash: left out");
        return;
    }
    let mut random = Random::new(2);
    for _ in 0..40 {
        let tree = tree(&mut random, "shell", false);
        for _ in 0..8 {
            let pattern = pattern(&mut random);
            let said = shell(&tree.0, &pattern).expect("a shell");
            // Without a wildcard it says names that are not there.
            let said: BTreeSet<String> = String::from_utf8_lossy(&said)
                .lines()
                .filter(|path| fs::symlink_metadata(tree.0.join(path)).is_ok() && !tree.0.join(path).is_dir())
                .map(|path| parts(path).join("/"))
                .collect();
            // Shells differ in whether `.*` is also `.` and `..`.
            let said: Vec<_> = said.into_iter().filter(|path| is_of(path, &pattern)).collect();
            assert_eq!(found(&tree.0, &pattern), said, "{pattern}");
        }
    }
}

#[test]
fn a_folder_with_more_names_than_are_held_is_read_again() {
    let mut random = Random::new(3);
    for names in 1..5 {
        let tree = tree(&mut random, "few", names % 2 == 0);
        for pattern in ["**/*", "*", "*/*.txt", "**/.*"] {
            let parts = || Parts::new(&format!("{}/{pattern}", tree.0.display()), true).expect("a pattern");
            let walk = |walk: Walk| walk.map(|path| path.expect("a path")).collect::<Vec<_>>();
            let few = walk(Walk::with_names(parts(), None, names));
            assert_eq!(few, walk(Walk::new(parts(), None)), "{pattern}");
        }
    }
}

#[test]
fn what_is_left_out_under_one_name_is_found_under_another() {
    let tree = Tree::new("names");
    fs::create_dir_all(tree.0.join("a")).expect("a folder");
    fs::write(tree.0.join("a/x.txt"), "").expect("a file");
    symlink("a", tree.0.join("b")).expect("a link");
    let at = tree.0.display();
    let docs = FromFiles::new(format!("{at}/**/*.txt")).exclude(format!("{at}/a/")).docs().expect("files");
    assert_eq!(docs.iter().map(|doc| &*doc.uri).collect::<Vec<_>>(), [format!("{at}/b/x.txt")]);
}

#[test]
fn folders_that_lead_to_each_other_in_thousands_of_ways_are_gone_through_once() {
    let tree = Tree::new("ways");
    fs::create_dir_all(tree.0.join("0")).expect("a folder");
    for level in 1..40 {
        let folder = tree.0.join(level.to_string());
        fs::create_dir(&folder).expect("a folder");
        for name in ["x", "y"] {
            symlink(format!("../{}", level - 1), folder.join(name)).expect("a link");
        }
    }
    fs::write(tree.0.join("0/end.txt"), "").expect("a file");
    assert_eq!(found(&tree.0, "39/**"), [format!("39/{}end.txt", "x/".repeat(39))]);
}

#[test]
fn documents_are_found_while_they_are_asked_for() {
    let tree = Tree::new("lazy");
    for folder in ["a", "b"] {
        fs::create_dir_all(tree.0.join(folder)).expect("a folder");
        fs::write(tree.0.join(folder).join("1.txt"), "").expect("a file");
    }
    let mut docs = FromFiles::new(format!("{}/**/*.txt", tree.0.display())).find().expect("files");
    assert!(docs.next().is_some_and(|doc| doc.expect("a file").uri.ends_with("a/1.txt")));
    fs::write(tree.0.join("b/2.txt"), "").expect("a file");
    assert_eq!(docs.count(), 2, "the second folder was not read before its turn");
}
