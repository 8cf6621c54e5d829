//! Mistakes of the first hour: what the compiler says of each names the mistake and what would be right.
//!
//! A case is a program of its own, with the mistake where `mended` is not set, and what it is to be where it is. Lines
//! that begin with `says:` stand in what the compiler prints of the mistake.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// The library that this test was built with, and the folder of what it needs.
struct Built {
    library: PathBuf,
    needs: PathBuf,
}

impl Built {
    fn find() -> Self {
        let this = std::env::current_exe().expect("this test has a path");
        let needs = this.parent().expect("it stands in a folder").to_owned();
        let libraries = fs::read_dir(&needs).expect("it can be listed").filter_map(|entry| {
            let entry = entry.ok()?;
            let name = entry.file_name().into_string().ok()?;
            let is_library = name.starts_with("libgapless-") && name.ends_with(".rlib");
            is_library.then(|| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))?
        });
        let (_, library) = libraries.max().expect("the library was built before its test");
        Self { library, needs }
    }

    /// Whether a case compiles, and what is said where it does not.
    fn compile(&self, case: &Path, mended: bool) -> Result<(), String> {
        let name = case.file_stem().expect("a case has a name").to_string_lossy();
        let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{mended}.rmeta"));
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args([
            "--edition=2024",
            "--crate-type=bin",
            "--emit=metadata",
            "--check-cfg=cfg(mended)",
            "-o",
        ]);
        rustc.arg(&made).arg(case).arg("-L").arg(format!("dependency={}", self.needs.display()));
        rustc.arg("--extern").arg(format!("gapless={}", self.library.display()));
        if mended {
            rustc.args(["--cfg", "mended"]);
        }
        let output = rustc.output().expect("there is a compiler");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(said) }
    }

    /// What is wrong with a case.
    fn check(&self, case: &Path) -> Result<(), String> {
        let name = case.display();
        let text = fs::read_to_string(case).expect("a case is text");
        let expected: Vec<&str> = text
            .lines()
            .filter_map(|line| Some(line.trim_start_matches("//!").trim().strip_prefix("says:")?.trim()))
            .collect();
        if expected.is_empty() {
            return Err(format!("{name} says nothing"));
        }
        let Err(said) = self.compile(case, false) else {
            return Err(format!("{name} compiles with its mistake"));
        };
        if let Some(missing) = expected.into_iter().find(|sentence| !said.contains(sentence)) {
            return Err(format!("{name} does not say {missing:?}:\n{said}"));
        }
        self.compile(case, true)
            .map_err(|said| format!("{name} does not compile where it is mended:\n{said}"))
    }
}

#[test]
fn the_compiler_names_each_mistake_and_what_would_be_right() {
    let built = Built::find();
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compile_fail/cases");
    let entries = fs::read_dir(cases).expect("there are cases");
    let cases: Mutex<Vec<PathBuf>> =
        Mutex::new(entries.map(|entry| entry.expect("it is listed").path()).collect());
    assert!(cases.lock().unwrap().len() > 5, "cases are found");
    let wrong = Mutex::new(Vec::new());
    let next = || cases.lock().unwrap().pop();
    let work = || {
        while let Some(case) = next() {
            wrong.lock().unwrap().extend(built.check(&case).err());
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
