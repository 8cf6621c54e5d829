//! The child's side: functions by name, and the loop that runs them.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::mpsc::{Receiver, sync_channel};

use super::frame::{self, frame};
use super::transfer::Transfer;
use super::{CHILD, HELLO};
use crate::engine::seam::spawn_aside;
use crate::error::Cause;

/// Works on the front of these bytes, and puts document and result behind those.
type Erased = Box<dyn Fn(&mut &[u8], &mut Vec<u8>) -> Result<Reply, Cause>>;

/// How a call ended, as the first byte of what a child answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Reply {
    Done = 0,
    Failed = 1,
    Panicked = 2,
}

/// The functions that children of this program can run, by name.
#[derive(Default)]
pub struct Functions(BTreeMap<String, Erased>);

impl Functions {
    /// Registers a function. The same name again replaces the function before.
    pub fn add<D, R, F>(&mut self, name: &str, function: F)
    where
        D: Transfer,
        R: Transfer,
        F: Fn(&mut D) -> Result<R, Cause> + 'static,
    {
        let erased = move |bytes: &mut &[u8], out: &mut Vec<u8>| {
            let mut document = D::decode(bytes)?;
            let made = catch_unwind(AssertUnwindSafe(|| function(&mut document)));
            document.encode(out);
            Ok(match made {
                Ok(Ok(result)) => {
                    result.encode(out);
                    Reply::Done
                }
                Ok(Err(cause)) => {
                    cause.to_string().encode(out);
                    if cause.is_panic() { Reply::Panicked } else { Reply::Failed }
                }
                Err(payload) => {
                    Cause::panic_message(&*payload).to_owned().encode(out);
                    Reply::Panicked
                }
            })
        };
        self.0.insert(name.to_owned(), Box::new(erased));
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
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut functions = Functions::default();
    register(&mut functions);
    // Nobody is there to be told where it fails: the parent sees the connection end.
    exit(i32::from(answer(&functions).is_err()));
}

/// Answers one call after another until the parent is gone.
fn answer(functions: &Functions) -> io::Result<()> {
    let connection = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    connection.set_nonblocking(false)?;
    connection.set_read_timeout(None)?;
    connection.set_write_timeout(None)?;
    let hello = frame(|out| {
        out.extend_from_slice(HELLO);
        Vec::from_iter(functions.0.keys().cloned()).encode(out);
    });
    frame::write(&connection, &hello, || Ok::<_, io::Error>(()))?;
    let calls = calls(connection.try_clone()?)?;
    while let Ok(call) = calls.recv() {
        let reply = run(functions, &call);
        frame::write(&connection, &reply, || Ok::<_, io::Error>(()))?;
    }
    Ok(())
}

/// The calls, read on a thread of their own: it alone notices in the middle of a call that the parent is
/// gone, and ends the process then.
fn calls(connection: UnixStream) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, calls) = sync_channel(1);
    spawn_aside("gapless-parent", move || {
        while let Ok(call) = frame::read(&connection, || Ok::<_, io::Error>(())) {
            if sender.send(call).is_err() {
                break;
            }
        }
        exit(0);
    })?;
    Ok(calls)
}

fn run(functions: &Functions, call: &[u8]) -> Vec<u8> {
    let mut reply = Reply::Failed;
    let mut answer = frame(|out| {
        out.push(0);
        let before = out.len();
        let called = decode_and_call(functions, call, out);
        reply = called.unwrap_or_else(|cause| {
            out.truncate(before);
            // The document did not arrive: the parent keeps its own.
            out[before - 1] = UNREAD;
            cause.to_string().encode(out);
            Reply::Failed
        });
    });
    if answer[8] != UNREAD {
        answer[8] = reply as u8;
    }
    answer
}

/// The call could not be read; only a message follows.
pub(super) const UNREAD: u8 = 3;

fn decode_and_call(functions: &Functions, mut call: &[u8], out: &mut Vec<u8>) -> Result<Reply, Cause> {
    let name = String::decode(&mut call)?;
    let function = functions.0.get(&name).ok_or_else(|| Cause::msg(format!("no function {name}")))?;
    function(&mut call, out)
}
