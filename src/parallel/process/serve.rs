//! The child's side: functions by name, and the loop that runs them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};

use super::frame::{self, Kind, frame};
use super::transfer::Transfer;
use super::{LAST_MOMENTS, each_moment, mark, reply};
use crate::engine::seam::{STACK, spawn_aside};
use crate::error::Cause;
use crate::error::guard::guard;
use crate::stage::IntoResult;

/// Works on the document at the front of these bytes, and puts the answer behind those.
type Erased = Box<dyn Fn(&mut &[u8], &mut Vec<u8>)>;

/// The functions that children of this program can run, by name.
#[derive(Default)]
pub struct Functions(BTreeMap<String, Erased>);

impl Functions {
    /// Registers a function. The same name again replaces the function before.
    pub fn add<D, R, F>(&mut self, name: &str, function: F)
    where
        D: Transfer,
        F: Fn(&mut D) -> R + 'static,
        R: IntoResult<Value: Transfer>,
    {
        let made = move |document: &mut D| function(document).into_result();
        let erased = move |bytes: &mut &[u8], out: &mut Vec<u8>| reply::answer(bytes, &made, out);
        self.0.insert(name.to_owned(), Box::new(erased));
    }

    /// The answer to a call.
    fn answer(&self, mut call: &[u8], out: &mut Vec<u8>) {
        let name = String::decode(&mut call).unwrap_or_default();
        match self.0.get(&name) {
            Some(function) => function(&mut call, out),
            None => reply::lost(&Cause::msg(format!("no function {name} is registered")), out),
        }
    }
}

impl fmt::Debug for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Turns this process into a child, if it was started as one: then it runs the functions that are
/// registered here and never returns. To be called first in `main`, before arguments are read.
///
/// A child's stdin is `/dev/null` from here on, and programs that a function starts are no children: they
/// may be programs that call this themselves, and have children of their own.
///
/// ```standalone_crate
/// use gapless::parallel::process::{Isolated, serve};
/// use gapless::{Cause, parallel};
///
/// fn main() {
///     serve(|functions| {
///         functions.add("letters", |text: &mut String| Ok::<_, Cause>(text.len()));
///     });
///     let letters = Isolated::<String, usize>::new("letters");
///     let texts = ["one", "three"].map(String::from);
///     assert_eq!(parallel(letters, texts).workers(1).collect().unwrap(), [3, 5]);
/// }
/// ```
pub fn serve(register: impl FnOnce(&mut Functions)) {
    if mark::is_child() {
        // A panic has been printed. Nobody else is there to be told: the parent sees the connection end.
        let served = guard(|| answer_calls(register));
        if let Ok(Ok(())) = served {
            end_with_the_parent();
        }
        exit(i32::from(!matches!(served, Ok(Ok(())))));
    }
}

/// Whether this is a child that is not there yet.
pub(super) static REGISTERS: AtomicBool = AtomicBool::new(false);

/// Answers one call after another until the parent is gone.
fn answer_calls(register: impl FnOnce(&mut Functions)) -> io::Result<()> {
    REGISTERS.store(true, Ordering::SeqCst);
    let connection = take_stdin()?;
    let calls = calls(connection.try_clone()?)?;
    let mut functions = Functions::default();
    register(&mut functions);
    REGISTERS.store(false, Ordering::SeqCst);
    let names = Vec::from_iter(functions.0.keys().cloned());
    let send = |frame: &[u8]| frame::write(&connection, frame, || Ok::<_, io::Error>(()));
    send(&frame(Kind::Hello, 0, |out| names.encode(out)))?;
    while let Ok((number, call)) = calls.recv() {
        if send(&frame(Kind::Answer, number, |out| functions.answer(&call, out))).is_err() {
            // Whoever asked is gone.
            break;
        }
    }
    Ok(())
}

/// The connection, which no other process gets: what is started from here on would hold stdin open, and
/// might read from it.
fn take_stdin() -> io::Result<UnixStream> {
    let connection = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    connection.set_nonblocking(false)?;
    connection.set_read_timeout(None)?;
    connection.set_write_timeout(None)?;
    Ok(connection)
}

/// Ends this process and what it started: whoever would do so is gone.
fn end_with_the_parent() {
    let _gone = match getpgrp() == getpid() {
        true => kill_current_process_group(Signal::KILL),
        false => kill_process(getpid(), Signal::KILL),
    };
}

/// The calls, read on a thread of their own: it alone notices in the middle of a call that the parent is
/// gone, and ends the process then.
fn calls(connection: UnixStream) -> io::Result<Receiver<(u64, Vec<u8>)>> {
    let (sender, calls) = sync_channel(1);
    let reads = move || {
        while let Ok(call) = take_call(&connection) {
            if sender.send(call).is_err() {
                break;
            }
        }
        drop(sender);
        // Between two calls the process leaves by itself now. In the middle of one it is not asked to: its
        // own exit may wait for what the call holds.
        each_moment(LAST_MOMENTS, || false);
        end_with_the_parent();
    };
    spawn_aside("gapless-parent", STACK, Box::new(reads))?;
    Ok(calls)
}

/// Reads a call, and says that it is here before the rest of it is read: from now on it is this child's,
/// also where reading it is what ends the process.
fn take_call(connection: &UnixStream) -> io::Result<(u64, Vec<u8>)> {
    let wait = || Ok::<_, io::Error>(());
    let header = frame::read_header(connection, Kind::Call, wait)?;
    frame::write(connection, &frame(Kind::Taken, header.number, |_| {}), wait)?;
    Ok((header.number, frame::read_bytes(connection, header, wait)?))
}
