//! Laws of the repository itself: who may know whom, where what may be used, how long a file may be.

mod circles;
mod graph;
mod grows;
#[cfg(all(feature = "doc", feature = "image", feature = "onnx", feature = "wire", unix))]
mod named;
mod tokens;
mod uses;

use std::fs;
use std::path::{Path, PathBuf};

/// Floors of the house, bottom first. A module may use its own floor's module and floors below only.
const FLOORS: &[&[&str]] = &[
    &["error", "file", "moment", "place"],
    &["stage"],
    &["testing"],
    &["schedule"],
    &["image", "observe"],
    &["engine", "kernel"],
    &["gpu"],
    &["onnx"],
    &["pipeline"],
    &["parallel"],
    &["doc"],
];

/// More lines are not read in one sitting.
const LONGEST_FILE: usize = 400;

/// A source file, named from the repository.
struct Source {
    name: String,
    text: String,
}

impl Source {
    /// The module of `src/` that it belongs to; `None` for the crate's root.
    fn module(&self) -> Option<&str> {
        let inside = self.name.strip_prefix("src/")?;
        let module = inside.split('/').next()?.trim_end_matches(".rs");
        (module != "lib").then_some(module)
    }
}

fn sources(folder: &str, ending: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), ending, &mut files);
    let source = |path: PathBuf| Source {
        name: path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/"),
        text: fs::read_to_string(&path).expect("a source file is text"),
    };
    files.into_iter().map(source).collect()
}

fn collect(folder: &Path, ending: &str, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            collect(&path, ending, files);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            files.push(path);
        }
    }
}

fn floor(module: &str) -> usize {
    let found = FLOORS.iter().position(|floor| floor.contains(&module));
    found.unwrap_or_else(|| panic!("the module {module} has no floor in tests/house/main.rs"))
}

/// Modules that a line names as `crate::module`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).filter_map(|rest| {
        let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
        rest[end..].starts_with("::").then_some(&rest[..end])
    })
}

#[test]
fn no_module_uses_a_higher_floor() {
    for source in sources("src", "rs") {
        let Some(module) = source.module() else { continue };
        for (number, line) in
            source.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
        {
            for used in named(line).filter(|used| *used != module) {
                let (own, other) = (floor(module), floor(used));
                assert!(
                    other < own || (other == own && own == 0),
                    "{}:{}: {module} uses {used}, which is not below it",
                    source.name,
                    number + 1
                );
            }
        }
    }
}

/// A word, the only place where it may stand, and the reason.
const ONLY_IN: &[(&str, &str, &str)] = &[
    ("wgpu::", "src/gpu/hardware", "the engine, programs and the twins are built without a driver"),
    ("create_buffer(", "src/gpu/hardware/device.rs", "the count of buffers made must see every one"),
    ("std::thread::Builder", "src/engine/seam", "the engine's threads come from the seam"),
    ("std::thread::spawn", "src/engine/seam", "the engine's threads come from the seam"),
    ("shuttle::", "src/engine", "random schedules are the engine's"),
];

#[test]
fn what_belongs_to_one_place_stands_nowhere_else() {
    for source in sources("src", "rs") {
        for (word, place, reason) in ONLY_IN {
            let elsewhere = !source.name.starts_with(place) && uses(&source.text, word);
            assert!(!elsewhere, "{} uses {word}: {reason}", source.name);
        }
    }
}

/// Where files are opened, read and written besides `src/file`, and the reason.
const OPENS: &[(&str, &str)] = &[
    ("src/file", "it is the reader and the writer"),
    ("src/error/tests.rs", "an error of the system, for a test"),
    ("src/doc/files/tests.rs", "trees of files for a test"),
    ("src/parallel/process/mark.rs", "what a descriptor is, and a test"),
    ("src/parallel/process/serve.rs", "a device that is known takes the place of stdin"),
    ("examples/common/photos.rs", "a folder is made"),
    ("examples/resume/main.rs", "a file that grows line by line, which is checked before"),
];

#[test]
fn files_are_opened_read_and_written_in_one_place() {
    let words = [
        "File::open",
        "File::create",
        "OpenOptions",
        "fs::read(",
        "fs::read,",
        "fs::read)",
        "fs::read_to_string",
        "fs::write",
        "fs::rename",
        "fs::copy",
        "read_npy(",
        "write_npy(path",
        "glob_with(",
    ];
    for source in ["src", "examples"].into_iter().flat_map(|folder| sources(folder, "rs")) {
        let known = OPENS.iter().any(|(place, _)| source.name.starts_with(place));
        let text = source.text.replace("NewFile::create", "");
        for word in words.iter().filter(|_| !known) {
            assert!(!uses(&text, word), "{} uses {word}: `file` reads and writes", source.name);
        }
    }
}

#[test]
fn the_engine_takes_locks_and_time_from_its_seam_alone() {
    let words =
        ["std::sync::Mutex", "std::sync::Condvar", "Instant::now", "std::sync::mpsc", "thread::sleep"];
    for source in
        sources("src/engine", "rs").iter().filter(|source| !source.name.starts_with("src/engine/seam"))
    {
        for word in words {
            assert!(!uses(&source.text, word), "{} uses {word}: it belongs into the seam", source.name);
        }
    }
}

fn uses(text: &str, word: &str) -> bool {
    text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word))
}

#[test]
fn every_file_says_what_it_is_and_can_be_read_in_one_sitting() {
    for folder in ["src", "examples", "benches", "resize/src", "tests"] {
        for source in sources(folder, "rs") {
            assert!(source.text.starts_with("//!"), "{} has no module doc", source.name);
            let lines = source.text.lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines", source.name);
        }
    }
}

#[test]
fn nothing_is_left_unfinished_or_silently_skipped() {
    // Put together here, so that this file does not find itself.
    let words = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["#[", "ignore"].concat(),
        ["FIX", "ME"].concat(),
    ];
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    assert!(
        !readme.expect("there is a README").contains("@@"),
        "README.md has a place that is not filled in"
    );
    for folder in ["src", "examples", "benches", "resize/src", "tests", "shaders"] {
        for ending in ["rs", "wgsl"] {
            for source in sources(folder, ending) {
                for word in &words {
                    assert!(!source.text.contains(word.as_str()), "{} contains {word}", source.name);
                }
            }
        }
    }
}

#[test]
fn the_six_packages_are_direct_dependencies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest is there");
    let dependencies = manifest.split("[dependencies]").nth(1).expect("there are dependencies");
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    for package in ["wgpu", "rayon", "crossbeam-channel", "bytemuck", "pollster", "ndarray"] {
        assert!(dependencies.lines().any(|line| line.starts_with(package)), "{package} is missing");
    }
}

/// The name of the public type or trait that a line declares.
fn declared(line: &str) -> Option<&str> {
    let kinds = ["struct ", "enum ", "trait ", "union ", "type "];
    let rest = line.trim_start().strip_prefix("pub ")?;
    let name = kinds.iter().find_map(|kind| rest.strip_prefix(kind))?;
    name.split(|letter: char| !letter.is_alphanumeric() && letter != '_').next()
}

#[test]
fn a_public_name_stands_for_one_thing() {
    let mut known = std::collections::HashMap::new();
    for source in sources("src", "rs") {
        // `Sealed` is the name of a habit: such a trait keeps others from implementing its neighbour.
        for name in source.text.lines().filter_map(declared).filter(|name| *name != "Sealed") {
            if let Some(other) = known.insert(name.to_owned(), source.name.clone()) {
                panic!("{name} is declared in {other} and in {}", source.name);
            }
        }
    }
}

/// Files of modules that users see, but for those that are hidden from them.
fn public_modules(sources: &[Source]) -> Vec<String> {
    let mut files = vec!["src/lib.rs".to_owned()];
    for source in sources {
        let folder = source.name.trim_end_matches(".rs").trim_end_matches("/lib");
        let lines: Vec<&str> = source.text.lines().collect();
        let hidden = |line: usize| line > 0 && lines[line - 1] == "#[doc(hidden)]";
        let module = |line: &str| Some(line.strip_prefix("pub mod ")?.strip_suffix(';')?.to_owned());
        let shown = lines.iter().enumerate().filter(|(number, _)| !hidden(*number));
        files.extend(shown.filter_map(|(_, line)| Some(format!("{folder}/{}.rs", module(line)?))));
    }
    files
}

#[test]
fn a_page_that_users_read_does_not_say_which_modules_use_it() {
    let sources = sources("src", "rs");
    let public = public_modules(&sources);
    for module in ["gpu", "kernel", "parallel/process"] {
        assert!(public.contains(&format!("src/{module}.rs")), "{module} is public: {public:?}");
    }
    for source in sources.iter().filter(|source| public.contains(&source.name)) {
        for line in source.text.lines().filter(|line| line.starts_with("//!")) {
            let inside = line.contains("Uses:") || line.contains("Used by");
            assert!(!inside, "{}: a comment may say it, and its page not: {line}", source.name);
        }
    }
}

/// The rows of these sections of a page, without the head of each table.
fn rows<'a>(page: &'a str, sections: &'a [&'a str]) -> impl Iterator<Item = &'a str> {
    let sections =
        page.split("\n## ").filter(|section| sections.iter().any(|name| section.starts_with(name)));
    sections.flat_map(|section| section.lines().filter(|line| line.starts_with("| ")).skip(1))
}

#[test]
fn what_others_call_by_another_name_is_shown_by_what_exists() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coming-from.md");
    let page = fs::read_to_string(page).expect("the page is there");
    let texts: String = ["src", "tests"]
        .into_iter()
        .flat_map(|folder| sources(folder, "rs"))
        .map(|source| source.text)
        .collect();
    for row in rows(&page, &["fastcore", "PyBlaze"]) {
        let shown = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        for name in shown.split('`').skip(1).step_by(2) {
            let exists = texts.contains(&format!("fn {name}("))
                || texts.contains(&format!("fn {name}<"))
                || texts.contains(&format!("pub struct {name}<"));
            assert!(exists, "{name} is not there: {row}");
        }
    }
}
