//! The parent's side of one child.

use std::collections::VecDeque;
use std::error::Error as StdError;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::frame::{self, SLICE};
use super::transfer::{Transfer, take};
use super::{CHILD, HELLO};
use crate::error::Cause;

/// Time that a child has to say that it is there.
const START: Duration = Duration::from_secs(30);
/// Time that a child has to be gone once it has closed its connection.
const LAST_MOMENTS: Duration = Duration::from_secs(1);
/// What is kept of what a child wrote to its stderr.
const LINES: usize = 20;
const LINE: usize = 1000;

/// A child process ended in the middle of a call. It stands in a [`Cause`], from where
/// [`Cause::downcast_ref`] gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Died {
    /// How it ended.
    pub ending: Ending,
    /// The last lines that it wrote to stderr.
    pub stderr: Vec<String>,
}

/// How a child process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// By this signal: 6 is an abort, 9 a kill (often for memory), 11 a segmentation fault.
    Signal(i32),
    /// It left with this exit code.
    Exit(i32),
    /// It took longer than this and was killed.
    TimedOut(Duration),
    /// The run was stopped, and it was killed.
    Stopped,
    /// It answered with what is no answer, and was killed.
    Garbled,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal(signal) => write!(f, "the child process was ended by signal {signal}"),
            Self::Exit(code) => write!(f, "the child process left with exit code {code}"),
            Self::TimedOut(limit) => {
                write!(f, "the child process took longer than {limit:?} and was killed")
            }
            Self::Garbled => f.write_str("the child process gave what is no answer and was killed"),
            Self::Stopped => f.write_str("the run was stopped and the child process killed"),
        }
    }
}

impl fmt::Display for Died {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ending)?;
        if !self.stderr.is_empty() {
            write!(f, "; it said: {}", self.stderr.join(" / "))?;
        }
        Ok(())
    }
}

impl StdError for Died {}

/// What is run as a child.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// `None` for the program that runs here.
    pub(super) path: Option<PathBuf>,
    pub(super) arguments: Vec<OsString>,
}

/// Why a wait for a child ended without an answer.
#[derive(Debug)]
enum Broken {
    Io(io::Error),
    Late(Duration),
    Stopped,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// When a wait is given up.
pub(super) struct Patience<'a> {
    pub(super) limit: Option<Duration>,
    pub(super) stopped: &'a dyn Fn() -> bool,
}

/// A child that runs.
pub(super) struct Child {
    process: Reaped,
    connection: UnixStream,
    stderr: Stderr,
    /// Names of its functions.
    pub(super) functions: Vec<String>,
}

/// The process; killed and waited for when this is dropped.
struct Reaped(std::process::Child);

impl Drop for Reaped {
    fn drop(&mut self) {
        // Fails where it has ended already, which is as well.
        let _ended_before = self.0.kill();
        let _status = self.0.wait();
    }
}

impl Child {
    /// Starts a child and waits until it is there.
    pub(super) fn start(program: &Program, stopped: &dyn Fn() -> bool) -> Result<Self, Cause> {
        if std::env::var_os(CHILD).is_some() {
            return Err(Cause::msg(
                "a child process starts no children: call process::serve first in main, before anything else",
            ));
        }
        let (connection, theirs) = UnixStream::pair()?;
        let (stderr, their_stderr) = UnixStream::pair()?;
        let path = program.path.clone().map_or_else(std::env::current_exe, Ok)?;
        let mut command = Command::new(path);
        command.args(&program.arguments).env(CHILD, "1");
        command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null());
        command.stderr(Stdio::from(OwnedFd::from(their_stderr)));
        let process = Reaped(command.spawn()?);
        // The command holds the child's ends until it is dropped.
        drop(command);
        connection.set_read_timeout(Some(SLICE))?;
        connection.set_write_timeout(Some(SLICE))?;
        let mut child = Self { process, connection, stderr: Stderr::new(stderr)?, functions: Vec::new() };
        let patience = Patience { limit: Some(START), stopped };
        match child.hello(&patience) {
            Ok(functions) => Ok(Self { functions, ..child }),
            Err(broken) => Err(Cause::from(child.bury(broken)).context(
                "the child process did not answer; its main must call process::serve before anything else",
            )),
        }
    }

    fn hello(&mut self, patience: &Patience<'_>) -> Result<Vec<String>, Broken> {
        let frame = self.answer(Instant::now(), patience)?;
        let invalid = || Broken::Io(io::Error::from(io::ErrorKind::InvalidData));
        let mut bytes = &frame[..];
        let hello = take(&mut bytes, HELLO.len()).map_err(|_| invalid())?;
        let names = Vec::decode(&mut bytes).map_err(|_| invalid())?;
        if hello == HELLO { Ok(names) } else { Err(invalid()) }
    }

    /// Sends a call and waits for the answer; a child that gives none is gone afterwards.
    pub(super) fn call(mut self, call: &[u8], patience: &Patience<'_>) -> Result<(Vec<u8>, Self), Died> {
        let start = Instant::now();
        let Self { connection, stderr, .. } = &mut self;
        let written = frame::write(connection, call, || look(connection, stderr, start, patience));
        match written.and_then(|()| self.answer(start, patience)) {
            Ok(answer) => {
                self.stderr.drain();
                Ok((answer, self))
            }
            Err(broken) => Err(self.bury(broken)),
        }
    }

    fn answer(&mut self, start: Instant, patience: &Patience<'_>) -> Result<Vec<u8>, Broken> {
        let Self { connection, stderr, .. } = self;
        frame::read(connection, || look(connection, stderr, start, patience))
    }

    /// Finds out how it ended, ending it where it has not.
    fn bury(mut self, broken: Broken) -> Died {
        let killed = match broken {
            Broken::Late(limit) => Some(Ending::TimedOut(limit)),
            Broken::Stopped => Some(Ending::Stopped),
            Broken::Io(error) if error.kind() == io::ErrorKind::InvalidData => Some(Ending::Garbled),
            Broken::Io(_) => {
                self.stderr.read_to_end();
                None
            }
        };
        // The status is kept by the system: where it has ended by itself the kill changes nothing.
        let _ended_before = self.process.0.kill();
        let status = self.process.0.wait();
        self.stderr.drain();
        let ending = killed.unwrap_or_else(|| match status.map(|status| (status.signal(), status.code())) {
            Ok((Some(signal), _)) => Ending::Signal(signal),
            Ok((_, Some(code))) => Ending::Exit(code),
            _ => Ending::Exit(-1),
        });
        Died { ending, stderr: self.stderr.lines() }
    }
}

fn look(
    connection: &UnixStream,
    stderr: &mut Stderr,
    start: Instant,
    patience: &Patience<'_>,
) -> Result<(), Broken> {
    // A child that has just said something may be held up by what it says next.
    let said = std::mem::take(&mut stderr.said);
    stderr.drain();
    if said != stderr.said {
        connection.set_read_timeout(Some(if stderr.said { SLICE / 20 } else { SLICE }))?;
    }
    if (patience.stopped)() {
        return Err(Broken::Stopped);
    }
    match patience.limit {
        Some(limit) if start.elapsed() >= limit => Err(Broken::Late(limit)),
        _ => Ok(()),
    }
}

/// The last lines of what a child writes to stderr. It is read while an answer is waited for, so that a
/// child that says much does not wait for ever.
struct Stderr {
    from: UnixStream,
    lines: VecDeque<Vec<u8>>,
    /// Whether anything came since this was looked at.
    said: bool,
}

impl Stderr {
    fn new(from: UnixStream) -> io::Result<Self> {
        from.set_nonblocking(true)?;
        Ok(Self { from, lines: VecDeque::from([Vec::new()]), said: false })
    }

    /// Takes what is there. False at the end.
    fn drain(&mut self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match self.from.read(&mut bytes) {
                Ok(0) => return false,
                Ok(read) => self.keep(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }

    /// Reads until the child has closed it, which it does at the latest when it ends.
    fn read_to_end(&mut self) {
        let start = Instant::now();
        let waits =
            self.from.set_nonblocking(false).is_ok() && self.from.set_read_timeout(Some(SLICE)).is_ok();
        while waits && self.drain() && start.elapsed() < LAST_MOMENTS {}
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.said = true;
        for byte in bytes {
            match self.lines.back_mut() {
                Some(line) if *byte != b'\n' => {
                    if line.len() < LINE {
                        line.push(*byte);
                    }
                }
                _ => self.lines.push_back(Vec::new()),
            }
            if self.lines.len() > LINES + 1 {
                self.lines.pop_front();
            }
        }
    }

    fn lines(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| !line.is_empty());
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}
