//! Runs from seeds, in a process of their own, so that one that ends its process, or never ends, is a failed run
//! like any other. A failure prints its seed; `GAPLESS_SEED=…` runs that one alone, in this process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::kit::process::{threads, until, watch};
use crate::run::{Seen, foreign_pool};

/// A longer test sets `GAPLESS_FAULTED_RUNS`.
const RUNS: u64 = 20_000;
/// Failures after which a test has seen enough; `GAPLESS_FAULTED_FAILURES` says another number.
const ENOUGH: u64 = 20;
/// Where the runs of a child begin.
const FROM: &str = "GAPLESS_FAULTED_FROM";

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Seeds whose runs are made one after the other.
pub(crate) struct Seeds {
    /// The test that makes them, by which a child finds it.
    pub(crate) test: &'static str,
    /// One run in so many of those that are asked for.
    pub(crate) one_in: u64,
    pub(crate) show: fn(u64) -> String,
    pub(crate) run: fn(u64) -> Result<Seen, String>,
}

impl Seeds {
    pub(crate) fn run(&self) {
        let runs = from_env("GAPLESS_FAULTED_RUNS").unwrap_or(RUNS) / self.one_in;
        match (from_env("GAPLESS_SEED"), from_env(FROM)) {
            (Some(seed), _) => self.one(seed),
            (None, Some(from)) => self.child(from, runs),
            (None, None) => self.parent(runs),
        }
    }

    fn one(&self, seed: u64) {
        // Each run counts the threads and descriptors of its process.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{}", (self.show)(seed));
        warm_up();
        if let Err(reason) = (self.run)(seed) {
            panic!("GAPLESS_SEED={seed}: {reason}");
        }
    }

    /// Runs from this seed on, and tells of each that fails.
    fn child(&self, from: u64, runs: u64) {
        let mut begins = watch();
        warm_up();
        let before = threads();
        let mut not_compared = 0;
        for seed in from..runs {
            begins(format!("seed {seed}"));
            say(format_args!("BEGINS {seed}"));
            match (self.run)(seed) {
                Ok(Seen::All) => {}
                Ok(Seen::FeederLeft) => not_compared += 1,
                Err(reason) => say(format_args!("FAILED {seed} {}", reason.replace('\n', " "))),
            }
        }
        if !until(|| threads() <= before) {
            say(format_args!("FAILED {runs} threads are left after all runs"));
        }
        say(format_args!("ENDS {not_compared}"));
    }

    fn parent(&self, runs: u64) {
        let enough = from_env("GAPLESS_FAULTED_FAILURES").unwrap_or(ENOUGH);
        let mut told = Told::default();
        let mut from = 0;
        while !told.ended && (told.failures.len() as u64) < enough {
            self.listen(from, enough, &mut told);
            from = told.last + 1;
        }
        let most_not_compared = 20.max(runs / 250);
        assert!(told.failures.is_empty(), "{}", summary(&told.failures));
        assert!(told.not_compared < most_not_compared, "{} runs left their feeder behind", told.not_compared);
    }

    /// Listens to a child that begins at this seed until it ends, however it does.
    fn listen(&self, from: u64, enough: u64, told: &mut Told) {
        told.last = from;
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args([self.test, "--exact", "--nocapture"])
            .env(FROM, from.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts again");
        let out = child.stdout.take().expect("it is piped");
        let mut hung = false;
        for line in BufReader::new(out).lines().map_while(Result::ok) {
            let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match word {
                "BEGINS" => told.last = rest.parse().unwrap_or(told.last),
                "FAILED" => {
                    let (seed, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                    told.failures.push((seed.parse().unwrap_or_default(), reason.to_owned()));
                }
                "HANGS" => hung = true,
                "ENDS" => {
                    told.ended = true;
                    told.not_compared += rest.parse().unwrap_or(0);
                }
                _ => {}
            }
            if told.failures.len() as u64 >= enough && !told.ended {
                drop(child.kill());
                break;
            }
        }
        drop(child.wait());
        if !told.ended && (told.failures.len() as u64) < enough {
            let reason = if hung { "it hangs" } else { "it ended its process" };
            told.failures.push((told.last, reason.into()));
        }
    }
}

/// Starts what every process has once, so that it belongs to no run.
fn warm_up() {
    for threads in 1..4 {
        foreign_pool(threads);
    }
    rayon::join(|| (), || ());
}

/// Told through the pipe at once: a process that ends early has told all.
fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// What children told.
#[derive(Default)]
struct Told {
    failures: Vec<(u64, String)>,
    not_compared: u64,
    ended: bool,
    last: u64,
}

/// How often each thing was wrong, and where.
fn summary(failures: &[(u64, String)]) -> String {
    let mut reasons: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    // Accounts differ from run to run.
    for (seed, reason) in failures {
        let kind = reason.split("Accounts {").next().unwrap_or(reason);
        reasons.entry(kind).or_default().push(*seed);
    }
    let mut text = format!("{} runs failed:\n", failures.len());
    for (reason, seeds) in reasons {
        let first: Vec<String> = seeds.iter().take(4).map(|seed| format!("GAPLESS_SEED={seed}")).collect();
        text.push_str(&format!("  {} x {reason}: {}\n", seeds.len(), first.join(" ")));
    }
    text
}
