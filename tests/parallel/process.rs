//! Functions in processes of their own: what comes back, how children end, and that none is left.

mod counts;
mod endings;
mod idle;
mod started;
mod touchy;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use gapless::parallel::process::{Died, Ending, Functions, Isolated, Transfer, serve};
use gapless::parallel::{Failed, ParallelRun};
use gapless::{Cause, CpuStage as _, Failure, OnFailure, parallel};
use ndarray::{Array3, arr2};

use crate::support::{planted_panic, until, watch};

/// What a document asks of its child.
fn act(document: &mut String) -> Result<u32, Cause> {
    match &document[..] {
        "abort" => {
            eprintln!("first line\nlast words");
            std::process::abort()
        }
        "exit" => std::process::exit(3),
        "hang" => hang(),
        "kill" => {
            Command::new("kill").args(["-9", &std::process::id().to_string()]).status()?;
            hang()
        }
        "error" => {
            document.push('!');
            Err(Cause::msg("planted"))
        }
        "panic" => planted_panic(),
        "read" => Ok(u32::try_from(std::io::stdin().lock().read_to_end(&mut Vec::new())?)?),
        "flood" => {
            (0..200_000).for_each(|line| eprintln!("line {line} of what nobody reads while the child works"));
            Ok(200_000)
        }
        _ => {
            document.push('!');
            Ok(std::process::id())
        }
    }
}

fn hang() -> ! {
    loop {
        std::thread::park();
    }
}

/// Says who it is in a file, and hangs.
#[expect(clippy::ptr_arg, reason = "it is registered for documents of this type")]
fn tell_and_hang(file: &mut PathBuf) -> Result<(), Cause> {
    tell(file)?;
    hang()
}

fn tell(file: &Path) -> Result<(), Cause> {
    let told = file.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&told, std::process::id().to_string())?;
    Ok(std::fs::rename(told, file)?)
}

/// Says who it is in a file of its own in this folder, and waits until there are so many.
fn meet((folder, children): &mut (PathBuf, usize)) -> Result<u32, Cause> {
    tell(&folder.join(std::process::id().to_string()))?;
    until("all are here", || count(folder) >= *children);
    Ok(std::process::id())
}

/// Files in a folder that are whole.
fn count(folder: &Path) -> usize {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter(|file| file.path().extension().is_none()).count()
}

/// This test is what a child runs; called by itself it does nothing.
#[test]
fn the_child() {
    serve(register);
}

fn register(functions: &mut Functions) {
    functions.add("act", act);
    functions.add("tell", tell_and_hang);
    functions.add("meet", meet);
    functions.add("run", started::run);
    functions.add("deeper", started::deeper);
    functions.add("touch", touchy::touch);
    functions.add("touch the result", touchy::touch_the_result);
    functions.add("fail badly", touchy::fail_badly);
}

fn isolated<D: Transfer, R: Transfer>(name: &str) -> Isolated<D, R> {
    Isolated::new(name).arguments(["process::the_child", "--exact", "--nocapture"])
}

fn acting() -> Isolated<String, u32> {
    isolated("act")
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn skip(stage: Isolated<String, u32>, documents: &[&str], workers: usize) -> ParallelRun<String, u32> {
    parallel(stage, texts(documents)).workers(workers).on_failure(OnFailure::Skip).run()
}

fn failure<R>(item: Result<R, Failed<String>>) -> Failure<String> {
    match item {
        Err(Failed::Item(failure)) => failure,
        Err(Failed::Run(error)) => panic!("{error}"),
        Ok(_) => panic!("it did not fail"),
    }
}

fn died(failure: &Failure<String>) -> &Died {
    failure.cause.downcast_ref().unwrap_or_else(|| panic!("no child died: {failure}"))
}

/// The result of a call, which no engine makes.
fn result(stage: &Isolated<String, u32>, document: &str) -> u32 {
    stage.prepare(&mut document.to_owned()).unwrap()
}

fn signal(signal: &str, process: u32) {
    assert!(Command::new("kill").args([signal, &process.to_string()]).status().unwrap().success());
}

/// Kills a process and waits until it has ended; nobody has waited for it then.
fn kill(process: u32) {
    signal("-9", process);
    until("it has ended", || !runs(process));
}

/// Lets a process stand still, and waits until it does.
fn stop(process: u32) {
    signal("-STOP", process);
    let stands = |task: std::fs::DirEntry| {
        std::fs::read_to_string(task.path().join("status")).unwrap().contains("State:\tT")
    };
    until("it stands still", || {
        std::fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten().all(stands)
    });
}

/// Whether a process of this number runs: one that has ended and was not waited for does not.
fn runs(process: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

#[test]
fn edits_and_results_come_back_from_another_process() {
    let _watch = watch();
    for workers in 0..3 {
        let documents: Vec<String> = (0..50).map(|number| number.to_string()).collect();
        let run = parallel(acting(), documents).workers(workers).run();
        for (number, outcome) in run.enumerate() {
            let outcome = outcome.unwrap();
            assert_eq!(outcome.document, format!("{number}!"));
            assert_ne!(outcome.result, std::process::id());
        }
    }
}

#[test]
fn an_error_and_a_panic_are_failures_and_no_child_is_lost() {
    let _watch = watch();
    let items: Vec<_> = skip(acting(), &["a", "error", "panic", "b"], 1).collect();
    let [first, error, panic, last] = items.try_into().expect("four");
    assert_eq!(first.unwrap().result, last.unwrap().result, "the same child");
    let error = failure(error);
    assert_eq!((&error.document[..], error.cause.to_string().as_str()), ("error!", "planted"));
    assert!(failure(panic).cause.is_panic());
}

#[test]
fn a_child_that_ends_in_a_call_costs_one_document() {
    let _watch = watch();
    let documents = ["a", "abort", "b", "exit", "c", "kill", "d"];
    for workers in 0..3 {
        let items: Vec<_> = skip(acting(), &documents, workers).collect();
        for (item, document) in items.into_iter().zip(documents) {
            let ending = match document {
                "abort" => Ending::Signal(6),
                "exit" => Ending::Exit(3),
                "kill" => Ending::Signal(9),
                _ => {
                    assert_eq!(item.unwrap().document, format!("{document}!"));
                    continue;
                }
            };
            let failure = failure(item);
            assert_eq!((died(&failure).ending, &failure.document[..]), (ending, document));
            if document == "abort" {
                assert_eq!(died(&failure).stderr, ["first line", "last words"]);
            }
        }
    }
}

#[test]
fn a_child_that_takes_too_long_is_killed() {
    let _watch = watch();
    let limit = Duration::from_millis(50);
    let items: Vec<_> = skip(acting().timeout(limit), &["hang"], 1).collect();
    let failure = failure(items.into_iter().next().expect("one"));
    assert_eq!(died(&failure).ending, Ending::TimedOut(limit));
}

#[test]
fn a_child_that_says_much_is_not_held_up() {
    let _watch = watch();
    let items: Vec<_> = skip(acting(), &["flood"], 1).collect();
    assert_eq!(items.into_iter().next().expect("one").unwrap().result, 200_000);
}

#[test]
fn a_child_that_reads_its_stdin_finds_nothing_there() {
    let _watch = watch();
    let stage = acting();
    assert_eq!([result(&stage, "read"), result(&stage, "read")], [0, 0]);
}

#[test]
fn children_that_are_lost_without_progress_are_replaced_so_many_times() {
    let _watch = watch();
    let items: Vec<_> = skip(acting().restarts(2), &["abort"; 6], 1).collect();
    let failures: Vec<_> = items.into_iter().map(failure).collect();
    assert!(failures[..3].iter().all(|failure| died(failure).ending == Ending::Signal(6)));
    for failure in &failures[3..] {
        assert!(failure.cause.to_string().starts_with("3 child processes were lost in a row"), "{failure}");
    }
    let progress = ["abort", "a", "abort", "b", "abort", "c"];
    let items: Vec<_> = skip(acting().restarts(1), &progress, 1).collect();
    assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 3, "an answer is progress");
}

#[test]
fn a_name_or_a_program_that_is_not_there_is_a_failure_that_says_so() {
    let _watch = watch();
    let first = |stage| failure(skip(stage, &["a"], 1).next().expect("one")).cause.to_string();
    assert!(first(isolated("other")).contains("no function other is registered; there are [\"act\", "));
    assert!(first(acting().program("/bin/true")).contains("its main must call process::serve"));
    assert!(first(acting().program("/nowhere")).contains("No such file"));
}

#[test]
fn no_child_is_left_when_its_stage_is_dropped() {
    let _watch = watch();
    let mut run = skip(acting(), &["a", "b", "c"], 2);
    let children: Vec<u32> = run.by_ref().map(|item| item.unwrap().result).collect();
    drop(run);
    for child in children {
        assert!(!Path::new(&format!("/proc/{child}")).exists(), "it was waited for");
    }
}

/// A file that is not there yet.
fn file(name: &str) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    let _before = std::fs::remove_file(&file);
    file
}

/// What a child has told; the file is gone afterwards.
fn told(file: &Path) -> u32 {
    until("the child has told who it is", || file.exists());
    let told = std::fs::read_to_string(file).unwrap().trim().parse().unwrap();
    std::fs::remove_file(file).unwrap();
    told
}

#[test]
fn a_run_that_is_dropped_kills_the_child_that_hangs() {
    let _watch = watch();
    let file = file("dropped");
    let run = parallel(isolated::<PathBuf, ()>("tell"), [file.clone()]).workers(1).run();
    let child = told(&file);
    assert!(runs(child));
    drop(run);
    assert!(!Path::new(&format!("/proc/{child}")).exists(), "it was killed and waited for");
}

const PARENT: &str = "GAPLESS_TEST_PARENT";

/// This test is a parent that is to be killed; called by itself it does nothing.
#[test]
fn the_parent() {
    if let Some(file) = std::env::var_os(PARENT) {
        let run = parallel(isolated::<PathBuf, ()>("tell"), [PathBuf::from(file)]);
        run.workers(1).collect().unwrap();
    }
}

#[test]
fn a_child_in_the_middle_of_a_call_ends_with_its_parent() {
    let _watch = watch();
    let file = file("orphan");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["process::the_parent", "--exact", "--nocapture"])
        .env(PARENT, &file)
        .spawn()
        .unwrap();
    let child = told(&file);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("the child is gone", || !runs(child));
}

fn there_and_back<T: Transfer + PartialEq + std::fmt::Debug>(value: &T) {
    let mut out = vec![];
    value.encode(&mut out);
    let mut bytes = &out[..];
    assert_eq!(&T::decode(&mut bytes).unwrap(), value);
    assert!(bytes.is_empty());
    for cut in 0..out.len() {
        assert!(T::decode(&mut &out[..cut]).is_err(), "{value:?} cut at {cut}");
    }
}

#[test]
fn values_come_back_as_they_were_and_cut_ones_are_refused() {
    there_and_back(&(1_u8, -2_i64, 3.5_f32, true));
    there_and_back(&(String::from("ü"), 'ß', Some(7_u16)));
    there_and_back(&(None::<u32>, vec![vec![1_u8], vec![]]));
    there_and_back(&PathBuf::from("a/b"));
    there_and_back(&vec![String::from("a"), String::new()]);
    there_and_back(&arr2(&[[1.0_f32, 2.0], [3.0, 4.0]]));
    there_and_back(&Array3::<u8>::from_elem((2, 3, 4), 9));
    let lies = [u64::MAX.to_le_bytes(), [0; 8]].concat();
    assert!(Vec::<u64>::decode(&mut &lies[..]).is_err());
    assert!(String::decode(&mut &lies[..]).is_err());
    assert!(bool::decode(&mut &[2][..]).is_err());
}
