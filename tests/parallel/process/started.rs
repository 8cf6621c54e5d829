//! Programs that a child starts: they are no children, and hold nothing of it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use gapless::parallel::process::{Ending, serve};
use gapless::{Cause, CpuStage as _};

use super::{act, acting, count, file, isolated, register, result, runs, signal, told};
use crate::support::{until, watch};

/// Runs a shell script with everything that a child has, and gives its exit code; or ends, after a line.
pub(super) fn run((script, and_then): &mut (String, String)) -> Result<i32, Cause> {
    let status = Command::new("/bin/sh").args(["-c", script]).status()?;
    if !and_then.is_empty() {
        act(and_then)?;
    }
    Ok(status.code().unwrap_or(-1))
}

/// Has itself run by a child of its own, and gives how deep that went and what ended it.
pub(super) fn deeper(depth: &mut u32) -> Result<(u32, String), Cause> {
    let stage = isolated::<u32, (u32, String)>("deeper").restarts(0);
    Ok(stage.prepare(&mut (*depth + 1)).unwrap_or_else(|cause| (*depth, cause.to_string())))
}

fn script(script: &str, and_then: &str) -> (String, String) {
    (script.to_owned(), and_then.to_owned())
}

#[test]
fn what_a_function_starts_gets_no_calls_to_read() {
    let _watch = watch();
    let stage = isolated::<(String, String), i32>("run");
    for _ in 0..3 {
        let reader = "cat > /dev/null; { cat > /dev/null; } & exit 7";
        assert_eq!(stage.prepare(&mut script(reader, "")).unwrap(), 7);
    }
}

#[test]
fn what_outlives_a_child_does_not_hide_its_end() {
    let _watch = watch();
    let file = file("outlives");
    let stage = isolated::<(String, String), i32>("run");
    for (end, ending) in [("abort", Ending::Signal(6)), ("exit", Ending::Exit(3))] {
        let left = format!(
            "setsid sh -c 'sleep 600 & echo $! > {0}.part'; mv {0}.part {0}; echo it stays >&2",
            file.display()
        );
        let cause = stage.prepare(&mut script(&left, end)).unwrap_err();
        let died: &super::Died = cause.downcast_ref().unwrap();
        assert_eq!(died.ending, ending);
        assert_eq!(died.stderr[0], "it stays");
        assert_eq!(died.stderr.last().unwrap() == "last words", end == "abort");
        let left = told(&file);
        assert!(runs(left), "it holds what the child had");
        signal("-9", left);
    }
}

#[test]
fn what_a_function_starts_holds_nothing_of_the_connection() {
    let _watch = watch();
    let stage = isolated::<(String, String), i32>("run");
    // The connection is a socket, and the only one.
    let counts = "exit $(ls -l /proc/$$/fd | grep -c socket)";
    assert_eq!(stage.prepare(&mut script(counts, "")).unwrap(), 0);
}

/// A script that starts a process and says in this file which it is.
fn starter(file: &Path) -> String {
    format!("sleep 600 & sleep 600 & echo $! > {0}.part; mv {0}.part {0}", file.display())
}

#[test]
fn what_a_child_started_ends_with_it_however_it_ends() {
    let _watch = watch();
    let file = file("grandchild");
    for end in ["abort", "exit", "hang", ""] {
        let stage = isolated::<(String, String), i32>("run").timeout(Duration::from_secs(1));
        let _ended = stage.prepare(&mut script(&starter(&file), end));
        let left = told(&file);
        assert!(runs(left) || !end.is_empty(), "a child that lives keeps what it has started");
        drop(stage);
        until("what it started has ended", || !runs(left));
    }
}

const ORPHANED: &str = "GAPLESS_TEST_ORPHANED";

/// This test is a program whose child has nothing more to do; called by itself it does nothing.
#[test]
fn the_orphaned() {
    let Some(file) = std::env::var_os(ORPHANED) else { return };
    let stage = isolated::<(String, String), i32>("run");
    stage.prepare(&mut script(&starter(Path::new(&file)), "")).unwrap();
    loop {
        std::thread::park();
    }
}

#[test]
fn what_a_child_started_ends_when_its_parent_is_killed() {
    let _watch = watch();
    let file = file("orphaned");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["process::started::the_orphaned", "--exact", "--nocapture"])
        .env(ORPHANED, &file)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let left = told(&file);
    parent.kill().unwrap();
    parent.wait().unwrap();
    until("what its child started has ended", || !runs(left));
}

const STARTED: &str = "GAPLESS_TEST_STARTED";

/// This test is a program that somebody starts and that uses children; called by itself it does nothing.
#[test]
fn the_started() {
    if let Some(file) = std::env::var_os(STARTED) {
        serve(register);
        let child = result(&acting(), "a");
        std::fs::write(file, child.to_string()).unwrap();
    }
}

fn start_it(file: &PathBuf) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["process::started::the_started", "--exact", "--nocapture"]).env(STARTED, file);
    command.stdout(Stdio::null());
    command
}

#[test]
fn a_program_that_a_child_starts_is_no_child_and_has_its_own() {
    let _watch = watch();
    let file = file("started");
    let stage = isolated::<(String, String), i32>("run");
    let program = std::env::current_exe().unwrap();
    let call = format!(
        "{STARTED}='{}' '{}' process::started::the_started --exact --nocapture > /dev/null",
        file.display(),
        program.display()
    );
    for _ in 0..2 {
        assert_eq!(stage.prepare(&mut script(&call, "")).unwrap(), 0);
        assert_ne!(told(&file), std::process::id());
    }
}

#[test]
fn whatever_the_variable_says_to_whom_it_was_not_meant_for_it_is_nothing() {
    let _watch = watch();
    let file = file("forged");
    let (socket, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    for value in ["", "1", "yes", "1 2 3", "0 0 0", "1 8 18446744073709551615"] {
        let sockets = std::os::fd::OwnedFd::from(socket.try_clone().unwrap());
        for stdin in [Stdio::null(), Stdio::piped(), Stdio::from(sockets)] {
            let status = start_it(&file).env("GAPLESS_CHILD", value).stdin(stdin).status().unwrap();
            assert!(status.success());
            assert_ne!(told(&file), std::process::id());
        }
    }
}

#[test]
fn children_of_children_come_to_an_end() {
    let _watch = watch();
    let (depth, end) = isolated::<u32, (u32, String)>("deeper").prepare(&mut 1).unwrap();
    assert_eq!(depth, 4);
    assert!(end.contains("starts no other"), "{end}");
}

const BOMB: &str = "GAPLESS_TEST_BOMB";
const THROUGH: &str = "GAPLESS_TEST_THROUGH";

/// This test is a program that starts children and never calls `serve`; called by itself it does nothing.
#[test]
fn the_bomb() {
    let Some(folder) = std::env::var_os(BOMB) else { return };
    super::tell(&PathBuf::from(folder).join(std::process::id().to_string())).unwrap();
    let bomb = ["process::started::the_bomb", "--exact", "--nocapture"];
    if std::env::var_os(THROUGH).is_some() && !started_by_itself() {
        // Nobody knows this one for a child, unless its children are counted.
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(bomb).arg("--quiet").stdin(Stdio::null()).stdout(Stdio::null());
        assert!(program.status().unwrap().success());
    } else {
        let stage =
            gapless::parallel::process::Isolated::<String, u32>::new("act").arguments(bomb).restarts(1);
        for _ in 0..4 {
            let cause = stage.prepare(&mut "a".to_owned()).unwrap_err();
            eprintln!("{cause}");
        }
    }
}

fn started_by_itself() -> bool {
    std::env::args().any(|argument| argument == "--quiet")
}

#[test]
fn a_program_that_never_serves_starts_two_children_and_not_one_more() {
    let _watch = watch();
    let folder = file("bomb");
    for (through, processes) in [(false, 1 + 2), (true, 2 * (1 + 2 + 4 + 8 + 16))] {
        std::fs::create_dir_all(&folder).unwrap();
        let mut bomb = Command::new(std::env::current_exe().unwrap());
        bomb.args(["process::started::the_bomb", "--exact", "--nocapture"]).env(BOMB, &folder);
        if through {
            bomb.env(THROUGH, "1");
        }
        assert!(bomb.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success());
        assert_eq!(count(&folder), processes);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
