//! What became of a call, as bytes: written by the child, read by its parent.

use super::transfer::Transfer;
use crate::error::Cause;
use crate::error::guard::{drop_user, guard};

/// How a call ended, as the first byte of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Reply {
    /// Document and result follow.
    Done = 0,
    /// Document and cause follow.
    Failed = 1,
    /// The cause alone: the document did not come through, and the parent keeps its own.
    Lost = 2,
}

/// Runs a function on the document at the front of `bytes`, and puts what became of it behind `out`.
///
/// All of it is user code: the function, what makes bytes of values and values of bytes, and every `Drop`.
/// A panic anywhere is told, and the child goes on.
pub(super) fn answer<D: Transfer, R: Transfer>(
    bytes: &mut &[u8],
    function: impl FnOnce(&mut D) -> Result<R, Cause>,
    out: &mut Vec<u8>,
) {
    let read = guard(|| D::decode(bytes)).and_then(|read| read);
    let mut document =
        match read.map_err(|cause| cause.context("the child process could not read the document")) {
            Ok(document) => document,
            Err(cause) => return lost(&cause, out),
        };
    let made = guard(|| function(&mut document)).and_then(|made| made);
    let before = out.len();
    let written = guard(|| write(&document, &made, out));
    drop_user(document);
    drop_user(made);
    if let Err(panic) = written {
        out.truncate(before);
        lost(&panic.context("the child process could not give the document back"), out);
    }
}

fn write<D: Transfer, R: Transfer>(document: &D, made: &Result<R, Cause>, out: &mut Vec<u8>) {
    out.push(if made.is_ok() { Reply::Done } else { Reply::Failed } as u8);
    document.encode(out);
    match made {
        Ok(result) => result.encode(out),
        Err(cause) => tell(cause, out),
    }
}

/// The answer to a call whose document the child does not have.
pub(super) fn lost(cause: &Cause, out: &mut Vec<u8>) {
    out.push(Reply::Lost as u8);
    tell(cause, out);
}

fn tell(cause: &Cause, out: &mut Vec<u8>) {
    (cause.is_panic(), cause.to_string()).encode(out);
}

/// Reads an answer: the document as the function left it, and the result.
pub(super) fn read<D: Transfer, R: Transfer>(document: &mut D, mut answer: &[u8]) -> Result<R, Cause> {
    let reply = u8::decode(&mut answer)?;
    if reply != Reply::Lost as u8 {
        *document = D::decode(&mut answer)?;
    }
    if reply == Reply::Done as u8 {
        return R::decode(&mut answer);
    }
    let (panic, text) = Transfer::decode(&mut answer)?;
    Err(Cause::told(text, panic))
}
