//! What the system tells of this process, and the patience of these tests.

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// What takes longer hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A wait of a test that takes longer hangs.
pub(crate) const HANGS: Duration = Duration::from_secs(5);

/// Waits until the condition holds; false where that takes too long.
pub(crate) fn until(mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + HANGS;
    while !condition() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::park_timeout(Duration::from_micros(50));
    }
    true
}

/// Threads of runs; none where the system does not tell.
pub(crate) fn threads_of_runs() -> Vec<String> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).filter(|name| name.starts_with("gapless-")).collect()
}

/// All threads of this process, where the system tells.
pub(crate) fn threads() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("Threads:"))?.trim().parse().ok()
}

/// Open descriptors of this process, where the system tells.
pub(crate) fn descriptors() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

/// Ends the process where something that began does not end; gives what tells that the next begins.
pub(crate) fn watch() -> impl FnMut(String) {
    let (begins, begun) = channel::<String>();
    std::thread::spawn(move || {
        let mut last = String::from("nothing yet");
        loop {
            match begun.recv_timeout(PATIENCE) {
                Ok(name) => last = name,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    println!("HANGS {last}");
                    std::process::abort();
                }
            }
        }
    });
    move |name| drop(begins.send(name))
}
