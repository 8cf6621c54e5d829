//! Children that misbehave in every way that there is, written as shell scripts that speak the protocol.

use std::path::Path;
use std::time::Duration;

use super::child::{Child, Lost, Patience, Program};
use super::died::Ending;
use super::frame::{Kind, frame};
use super::isolated::Isolated;
use super::transfer::Transfer;

const NUMBER: u64 = 7;
/// A wait that takes longer is a hang.
const HANGS: Duration = Duration::from_secs(60);

/// A command that says these bytes.
fn say(bytes: &[u8]) -> String {
    let octal: String = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("printf '{octal}' >&0; ")
}

fn hello() -> String {
    say(&frame(Kind::Hello, 0, |out| vec![String::from("f")].encode(out)))
}

fn taken(number: u64) -> String {
    say(&frame(Kind::Taken, number, |_| {}))
}

fn answer(number: u64) -> Vec<u8> {
    frame(Kind::Answer, number, |out| out.extend_from_slice(b"answer"))
}

fn call(length: usize) -> Vec<u8> {
    frame(Kind::Call, NUMBER, |out| out.resize(out.len() + length, 1))
}

/// A command that reads such a call.
fn read(call: &[u8]) -> String {
    format!("head -c {} <&0 >/dev/null; ", call.len())
}

/// A process outside of the child's group that holds what the child has; it says its number, to be ended by.
const HOLD: &str = "exec 3<&0; p=$(setsid sh -c 'sleep 600 >/dev/null & echo $!'); echo $p >&2; exec 3<&-; ";

fn start(script: &str) -> Result<Child, crate::Cause> {
    let arguments = ["-c".into(), script.into()].into();
    Child::start(&Program { path: Some("/bin/sh".into()), arguments }, &|| false)
}

type Outcome = Result<(Vec<u8>, Child), Lost>;

/// What such a child makes of a call, and the numbers of the processes that it left.
fn outcome(script: &str, call: &[u8]) -> (Outcome, Vec<u32>) {
    let child = start(script).unwrap();
    let outcome = child.call(NUMBER, call, &Patience { limit: Some(HANGS), stopped: &|| false });
    let said = match &outcome {
        Ok((_, child)) => child.said(),
        Err(lost) => lost.died.stderr.clone(),
    };
    (outcome, said.iter().filter_map(|line| line.parse().ok()).collect())
}

/// Ends what a child left, which must still be there: else it held nothing.
fn end(left: &[u32]) {
    for process in left {
        assert!(Path::new(&format!("/proc/{process}")).exists());
        assert!(std::process::Command::new("kill").arg(process.to_string()).status().unwrap().success());
    }
}

#[test]
fn however_a_child_ends_and_whoever_holds_its_connection_it_is_seen_and_told() {
    let ends =
        [("exit 3", Ending::Exit(3)), ("kill -9 $$", Ending::Signal(9)), ("kill -6 $$", Ending::Signal(6))];
    for length in [0, 10, 1 << 20] {
        let call = call(length);
        let (read, taken, reply) = (read(&call), taken(NUMBER), answer(NUMBER));
        // What it says before it ends, and whether the call may have begun.
        let before = [
            (String::new(), false),
            (read.clone(), false),
            (format!("{read}{taken}"), true),
            (taken.clone(), true),
            (format!("{read}{taken}{}", say(&reply[..3])), true),
            (format!("{read}{taken}{}", say(&reply[..reply.len() - 1])), true),
        ];
        for ((before, begun), (end_it, ending)) in
            before.iter().flat_map(|before| ends.iter().map(move |end| (before, end)))
        {
            for hold in ["", HOLD] {
                let script = format!("{}{hold}{before}echo last words >&2; {end_it}", hello());
                let (outcome, left) = outcome(&script, &call);
                let lost = outcome.err().expect("there is no whole answer");
                assert_eq!((lost.died.ending, lost.begun), (*ending, *begun), "{script}");
                assert_eq!(lost.died.stderr.last().unwrap(), "last words", "{script}");
                assert_eq!(left.len(), usize::from(!hold.is_empty()));
                end(&left);
            }
        }
    }
}

#[test]
fn an_answer_that_is_whole_counts_whatever_comes_after_it() {
    let call = call(10);
    let answered = format!("{}{}{}", read(&call), taken(NUMBER), say(&answer(NUMBER)));
    let after = [
        "exit 3".to_owned(),
        "kill -9 $$".to_owned(),
        format!("{}exec sleep 600", say(&answer(NUMBER))),
        format!("{}exec sleep 600", taken(NUMBER)),
        format!("{}exec sleep 600", say(b"x")),
        "exec 0<&-; exec sleep 600".to_owned(),
    ];
    for (hold, after) in ["", HOLD].into_iter().flat_map(|hold| after.iter().map(move |after| (hold, after)))
    {
        if !hold.is_empty() && after.starts_with("exec 0") {
            // It is open as long as another process holds it.
            continue;
        }
        let (outcome, left) = outcome(&format!("{}{hold}{answered}{after}", hello()), &call);
        let (answer, mut child) = outcome.expect("it answered");
        assert_eq!(answer, b"answer");
        while child.is_idle() {
            std::thread::yield_now();
        }
        assert_eq!(left.len(), usize::from(!hold.is_empty()));
        end(&left);
    }
    let (outcome, _) = outcome(&format!("{}{answered}exec sleep 600", hello()), &call);
    assert!(outcome.expect("it answered").1.is_idle(), "one that waits is");
}

/// Calls of which an answer came, one after the other, where every child ends as soon as it has given one.
fn answered(careless: bool) -> Vec<bool> {
    let call = call(10);
    let script = format!("{}{}{}{}exit 3", hello(), read(&call), taken(NUMBER), say(&answer(NUMBER)));
    let stage = Isolated::<u64, u64>::new("f").program("/bin/sh").arguments(["-c", &script]);
    let mut stage = stage.restarts(0);
    stage.careless = careless;
    let patience = Patience { limit: Some(HANGS), stopped: &|| false };
    (0..4).map(|_| stage.call(NUMBER, &call, &patience).is_ok()).collect()
}

#[test]
fn a_child_that_ends_while_it_is_idle_costs_nothing_and_one_that_would_is_found() {
    assert_eq!(answered(false), [true; 4]);
    // Every other call is given to a child that has ended.
    assert_eq!(answered(true), [true, false, true, false]);
}

#[test]
fn what_is_not_the_answer_to_the_call_is_no_answer() {
    let call = call(10);
    let said = [
        say(&answer(NUMBER)),
        taken(NUMBER - 1),
        format!("{}{}", taken(NUMBER), taken(NUMBER)),
        format!("{}{}", taken(NUMBER), say(&answer(NUMBER - 1))),
        format!("{}{}", taken(NUMBER), say(b"what nobody would call an answer")),
        format!("{}{}{}", taken(NUMBER), say(b"x"), say(&answer(NUMBER))),
        format!("{}{}", taken(NUMBER), say(&[0xff; 24])),
        say(&[0; 24]),
    ];
    for said in said {
        let (outcome, _) = outcome(&format!("{}{}{said}exec sleep 600", hello(), read(&call)), &call);
        let lost = outcome.err().expect("it gave no answer");
        assert_eq!((lost.died.ending, lost.begun), (Ending::Garbled, true));
    }
}

#[test]
fn a_child_that_leaves_its_connection_and_stays_is_ended() {
    let call = call(10);
    for (before, begun) in [(String::new(), false), (taken(NUMBER), true)] {
        let script = format!("{}{before}{}exec 0<&-; exec sleep 600", hello(), read(&call));
        let lost = outcome(&script, &call).0.err().expect("it gave no answer");
        assert_eq!((lost.died.ending, lost.begun), (Ending::Closed, begun));
    }
}

#[test]
fn whoever_writes_to_stderr_without_end_holds_nobody_up() {
    let call = call(10);
    let flood = "{ while :; do echo flood; done >&2 & } ; flood=$!; ";
    let stop = "kill $flood; ";
    let answered = format!("{}{}", taken(NUMBER), say(&answer(NUMBER)));
    let script = format!("{flood}{}{}{answered}{stop}", hello(), read(&call));
    assert_eq!(outcome(&script, &call).0.expect("it answered").0, b"answer");
    let script = format!("{}{}{flood}echo $flood >&2; kill -9 $$", hello(), read(&call));
    let (outcome, _) = outcome(&script, &call);
    assert_eq!(outcome.err().expect("it gave no answer").died.ending, Ending::Signal(9));
}

#[test]
fn a_program_that_is_no_child_is_refused_with_its_last_words() {
    let refused = |script: &str| start(script).err().expect("it is no child").to_string();
    let no_child =
        "the child process did not answer; its main must call process::serve before anything else: ";
    for script in [String::new(), say(&frame(Kind::Hello, 0, |_| {})[..9]), HOLD.to_owned()] {
        let said = refused(&format!("echo sorry >&2; {script}exit 3"));
        let expected = format!("{no_child}the child process left with exit code 3; it said: sorry");
        let left = said.strip_prefix(&expected).expect(&said);
        end(&left.split(" / ").filter_map(|line| line.parse().ok()).collect::<Vec<_>>());
    }
    for script in [
        say(b"what nobody would call a greeting"),
        say(&answer(0)),
        say(&frame(Kind::Hello, 0, |out| out.push(1))),
    ] {
        let said = refused(&format!("{script}exec sleep 600"));
        assert_eq!(said, format!("{no_child}the child process gave what is no answer and was killed"));
    }
}
