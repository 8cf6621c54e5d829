//! The parent's side of one child.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::died::{Died, Ending};
use super::frame::{self, Kind, SLICE};
use super::mark;
use super::reaped::Reaped;
use super::stderr::Stderr;
use super::transfer::Transfer;
use crate::error::Cause;
use crate::file::name;

/// Time that a child has to say that it is there.
const START: Duration = Duration::from_secs(30);

/// What is run as a child.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// `None` for the program that runs here.
    pub(super) path: Option<PathBuf>,
    pub(super) arguments: Vec<OsString>,
}

/// When a wait is given up.
pub(super) struct Patience<'a> {
    pub(super) limit: Option<Duration>,
    pub(super) stopped: &'a dyn Fn() -> bool,
}

/// A child that gave no answer, and is gone.
#[derive(Debug)]
pub(super) struct Lost {
    pub(super) died: Died,
    /// Whether the call may have begun. Where it cannot, another child can have it.
    pub(super) begun: bool,
    /// Whether it had answered a call before.
    pub(super) answered: bool,
}

/// Why a wait for a child ended without an answer.
#[derive(Debug)]
enum Broken {
    Io(io::Error),
    Late(Duration),
    Stopped,
    Ended,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Broken {
    /// Whether the child did this, by ending or by leaving the connection.
    fn is_an_end(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() != ErrorKind::InvalidData,
            Self::Ended => true,
            Self::Late(_) | Self::Stopped => false,
        }
    }
}

/// A child that runs.
pub(super) struct Child {
    process: Reaped,
    connection: UnixStream,
    stderr: Stderr,
    /// Names of its functions.
    pub(super) functions: Vec<String>,
    answered: bool,
}

impl Child {
    /// Starts a child and waits until it is there.
    pub(super) fn start(program: &Program, stopped: &dyn Fn() -> bool) -> Result<Self, Cause> {
        let mut child = Self::spawn(program)?;
        match child.hello(&Patience { limit: Some(START), stopped }) {
            Ok(functions) => Ok(Self { functions, ..child }),
            Err(Broken::Stopped) => Err(child.bury(Broken::Stopped, stopped).into()),
            Err(broken) => Err(Cause::from(child.bury(broken, stopped)).context(
                "the child process did not answer; its main must call process::serve before anything else",
            )),
        }
    }

    fn spawn(program: &Program) -> Result<Self, Cause> {
        let (connection, theirs) = UnixStream::pair()?;
        let (stderr, their_stderr) = Stderr::new()?;
        let path = program.path.clone().map_or_else(std::env::current_exe, Ok)?;
        let mut command = Command::new(&path);
        command.args(&program.arguments).env(mark::CHILD, mark::for_child(theirs.as_fd())?);
        command.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::null());
        command.stderr(Stdio::from(their_stderr)).process_group(0);
        let process = Reaped::new(command.spawn().map_err(|error| Cause::from(error).context(name(&path)))?);
        // The command holds the child's ends until it is dropped.
        drop(command);
        connection.set_read_timeout(Some(SLICE))?;
        connection.set_write_timeout(Some(SLICE))?;
        Ok(Self { process, connection, stderr, functions: Vec::new(), answered: false })
    }

    fn hello(&mut self, patience: &Patience<'_>) -> Result<Vec<String>, Broken> {
        let mut watch = Watch::new(&self.connection, &mut self.stderr, &mut self.process, patience);
        let names = frame::read(&self.connection, Kind::Hello, 0, || watch.look())?;
        Vec::decode(&mut &names[..]).map_err(|_| io::Error::from(ErrorKind::InvalidData).into())
    }

    /// Whether it still waits for a call, and has said nothing that it was not asked.
    pub(super) fn is_idle(&mut self) -> bool {
        self.process.ended().is_none() && frame::is_silent(&self.connection)
    }

    /// The last lines that it wrote to stderr.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn said(&self) -> Vec<String> {
        self.stderr.lines()
    }

    /// Sends a call and waits for the answer; a child that gives none is gone afterwards.
    pub(super) fn call(
        mut self,
        number: u64,
        call: &[u8],
        patience: &Patience<'_>,
    ) -> Result<(Vec<u8>, Self), Lost> {
        match self.exchange(number, call, patience) {
            Ok(answer) => {
                self.stderr.drain();
                Ok((answer, Self { answered: true, ..self }))
            }
            Err((broken, taken)) => {
                let begun = taken || !broken.is_an_end();
                let answered = self.answered;
                Err(Lost { died: self.bury(broken, patience.stopped), begun, answered })
            }
        }
    }

    /// The answer; or why there is none, and whether the child had taken the call.
    fn exchange(
        &mut self,
        number: u64,
        call: &[u8],
        patience: &Patience<'_>,
    ) -> Result<Vec<u8>, (Broken, bool)> {
        let Self { process, connection, stderr, .. } = self;
        let mut watch = Watch::new(connection, stderr, process, patience);
        if let Err(broken) = frame::write(connection, call, || watch.look()) {
            return Err((broken, has_taken(connection, number)));
        }
        frame::read(connection, Kind::Taken, number, || watch.look()).map_err(|broken| (broken, false))?;
        frame::read(connection, Kind::Answer, number, || watch.look()).map_err(|broken| (broken, true))
    }

    /// Finds out how it ended, ending it where it has not.
    fn bury(mut self, broken: Broken, stopped: &dyn Fn() -> bool) -> Died {
        let killed = match broken {
            Broken::Late(limit) => Some(Ending::TimedOut(limit)),
            Broken::Stopped => Some(Ending::Stopped),
            Broken::Ended => None,
            Broken::Io(error) if error.kind() == ErrorKind::InvalidData => Some(Ending::Garbled),
            Broken::Io(_) => self.leaves(stopped),
        };
        let ended = self.process.end();
        // What it wrote last stands there by now.
        self.stderr.drain();
        Died::new(killed.unwrap_or(ended), self.stderr.lines())
    }

    /// Gives it a moment to end, since it has left the connection. What is to be said where it does not.
    fn leaves(&mut self, stopped: &dyn Fn() -> bool) -> Option<Ending> {
        let Self { process, stderr, .. } = self;
        let leaves = process.ends_soon(|| {
            stderr.drain();
            stopped()
        });
        (!leaves).then_some(if stopped() { Ending::Stopped } else { Ending::Closed })
    }
}

/// Whether the child that has left this connection had taken the call: then it said so before.
fn has_taken(connection: &UnixStream, number: u64) -> bool {
    let nothing_more = || Err(Broken::Ended);
    connection.set_nonblocking(true).is_ok()
        && frame::read(connection, Kind::Taken, number, nothing_more).is_ok()
}

/// What is looked at between two slices of a wait.
struct Watch<'a> {
    connection: &'a UnixStream,
    stderr: &'a mut Stderr,
    process: &'a mut Reaped,
    patience: &'a Patience<'a>,
    start: Instant,
    /// Whether the child said something when it was looked at last.
    said: bool,
    /// Whether its end was seen.
    over: bool,
}

impl<'a> Watch<'a> {
    fn new(
        connection: &'a UnixStream,
        stderr: &'a mut Stderr,
        process: &'a mut Reaped,
        patience: &'a Patience<'a>,
    ) -> Self {
        let start = Instant::now();
        Self { connection, stderr, process, patience, start, said: false, over: false }
    }

    fn look(&mut self) -> Result<(), Broken> {
        self.read_stderr()?;
        if (self.patience.stopped)() {
            return Err(Broken::Stopped);
        }
        if self.over {
            return Err(Broken::Ended);
        }
        if self.process.ended().is_some() {
            // Another process may hold its end of the connection. What it said itself stands there.
            self.over = true;
            self.connection.set_nonblocking(true)?;
            return Ok(());
        }
        match self.patience.limit {
            Some(limit) if self.start.elapsed() >= limit => Err(Broken::Late(limit)),
            _ => Ok(()),
        }
    }

    fn read_stderr(&mut self) -> io::Result<()> {
        // A child that has just said something may be held up by what it says next.
        let said = self.stderr.drain();
        if said != self.said {
            self.said = said;
            self.connection.set_read_timeout(Some(if said { SLICE / 20 } else { SLICE }))?;
        }
        Ok(())
    }
}
