//! Works on many documents, is stopped by Ctrl-C, and goes on there when it is started again.
//!
//! ```text
//! cargo run --release --example resume                                  # Ctrl-C, then the same command again
//! cargo run --release --example resume -- factors.txt --documents 1000000
//! ```
//! Results come out in the order of the source, so those that there are belong to its beginning, and how many they are
//! is all that has to be known to go on. Here each is a line of a file: the file itself says how far it is, and no note
//! beside it can be wrong. What was in flight when the run was stopped is worked on again; a program that was killed in
//! the middle of a line leaves a piece of one, which is cut off. What is said to be done is on the disk before it is
//! said, so a power cut costs no more than what came behind it.
//!
//! To finish what is in flight, and not to give it up, have the source end: `documents.take_while(|_| goes_on())`.
//! A document that fails ends this run, as by default, and the next one tries it again; with `OnFailure::Skip` its
//! failure would have to stand in the file too, in its place.

#[path = "../common/terminal.rs"]
mod terminal;

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gapless::{Batch, Cause, Pipeline};
use lexopt::prelude::*;

use crate::terminal::{Problem, complain, print};

const HELP: &str = "\
resume: the smallest factors of many numbers, with Ctrl-C and going on later

usage: resume [FILE] [--documents N]

  FILE            where the results are, and are written to; default target/factors.txt
  --documents N   how many numbers; default 1000000";

/// The first number; the documents are this one and those behind it.
const FIRST: u64 = 1_000_000_000_000;

/// A line is printed each time so many more are done.
const EACH: u64 = 4096;

/// How a shell calls the end of a program that was interrupted.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    run().unwrap_or_else(|problem| terminal::exit("resume", Err(problem)))
}

fn run() -> Result<ExitCode, Problem> {
    let Some(options) = options()? else { return Ok(ExitCode::SUCCESS) };
    let at = |error: io::Error| format!("{}: {error}", terminal::name(&options.file));
    let mut results = Results::open(&options.file)?;
    let far = |results: &Results| {
        results.file.sync_data().map_err(at)?;
        let done = results.done;
        print(&format!("{done} of {} documents are done", options.documents)).map_err(Problem::from)
    };
    far(&results)?;

    let numbers = (results.done..options.documents).map(|place| FIRST + place);
    let mut run = Pipeline::new(smallest_factor, cofactors).batch_size(64).run(numbers);
    let handle = run.handle();
    ctrlc::set_handler(move || handle.stop())?;
    for batch in run.by_ref() {
        let before = results.done;
        results.add(batch?).map_err(at)?;
        if before / EACH < results.done / EACH {
            far(&results)?;
        }
    }
    if results.done < options.documents {
        results.file.sync_data().map_err(at)?;
        complain(&format!("resume: stopped after {}; the same command goes on there", results.done));
        return Ok(ExitCode::from(INTERRUPTED));
    }
    far(&results)?;
    Ok(ExitCode::SUCCESS)
}

/// The CPU half.
fn smallest_factor(number: &mut u64) -> [u64; 2] {
    let factor =
        (2..).take_while(|factor| factor * factor <= *number).find(|factor| number.is_multiple_of(*factor));
    [*number, factor.unwrap_or(*number)]
}

/// The GPU half, in place of a network.
fn cofactors(batch: &[[u64; 2]]) -> Vec<[u64; 2]> {
    batch.iter().map(|[number, factor]| [*factor, number / factor]).collect()
}

/// A file with a line for each document, from the first on.
struct Results {
    file: File,
    done: u64,
}

impl Results {
    /// What earlier runs wrote, up to its last whole line.
    fn open(path: &Path) -> Result<Self, Cause> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        if path.exists() {
            // A device has no end, and no lines.
            gapless::file::open(path)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let (mut lines, mut line) = (BufReader::new(&file), Vec::new());
        let (mut done, mut whole) = (0, 0);
        while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            done += 1;
            whole += line.len() as u64;
            line.clear();
        }
        file.set_len(whole)?;
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            // So is the name of a new file on the disk, where a system lets folders be synced.
            let _ = File::open(folder).and_then(|folder| folder.sync_all());
        }
        file.seek(SeekFrom::End(0))?;
        Ok(Self { file, done })
    }

    fn add(&mut self, batch: Batch<u64, Vec<[u64; 2]>>) -> io::Result<()> {
        let of_batch = batch.len() as u64;
        let line = |(number, [factor, other]): (u64, [u64; 2])| format!("{number} = {factor} * {other}\n");
        let lines: String = batch.into_iter().map(line).collect();
        self.file.write_all(lines.as_bytes())?;
        self.done += of_batch;
        Ok(())
    }
}

struct Options {
    file: PathBuf,
    documents: u64,
}

/// `None` where only the help was asked for.
fn options() -> Result<Option<Options>, Problem> {
    let mut options = Options { file: "target/factors.txt".into(), documents: 1_000_000 };
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Value(file) => options.file = file.into(),
            Long("documents") => options.documents = arguments.value()?.parse()?,
            Short('h') | Long("help") => {
                print(HELP)?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}
