//! The mark by which a child knows that it is one.
//!
//! A variable of the environment reaches more than the child: every program that the child starts has it
//! too, and anybody may set it. So it names the socket that is the child's stdin. A child puts another
//! stdin in its place before it runs anything, and so nothing that it starts takes itself for a child.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::str::FromStr;
use std::sync::atomic::Ordering;

use super::serve::REGISTERS;
use crate::error::Cause;

/// The variable.
pub(super) const CHILD: &str = "GAPLESS_CHILD";

/// Children of programs that children started, and so on: more of them is a program that starts itself
/// without end.
const DEEPEST: u32 = 4;

/// What the variable says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// Children above this one, and itself.
    generation: u32,
    /// Device and inode of its stdin.
    stdin: (u64, u64),
}

impl FromStr for Mark {
    type Err = Cause;

    fn from_str(text: &str) -> Result<Self, Cause> {
        let mut numbers = text.split(' ').map(u64::from_str);
        let mut next = || numbers.next().ok_or_else(|| Cause::msg("no mark of a child"));
        let (generation, stdin) = (u32::try_from(next()??)?, (next()??, next()??));
        Ok(Self { generation, stdin })
    }
}

impl Mark {
    /// The mark in this process's environment: its own, or that of a child above it.
    fn inherited() -> Option<Self> {
        std::env::var(CHILD).ok()?.parse().ok()
    }
}

/// Whether this process was started as a child, and has not begun to serve.
pub(super) fn is_child() -> bool {
    let Some(mark) = Mark::inherited() else { return false };
    socket(io::stdin().as_fd()).is_ok_and(|stdin| stdin == mark.stdin)
}

/// What the variable has to say to a child with this stdin.
pub(super) fn for_child(stdin: BorrowedFd<'_>) -> Result<String, Cause> {
    if is_child() || REGISTERS.load(Ordering::SeqCst) {
        return Err(Cause::msg(
            "a child process starts no children: call process::serve first in main, before anything else",
        ));
    }
    let generation = 1 + Mark::inherited().map_or(0, |mark| mark.generation);
    if generation > DEEPEST {
        return Err(Cause::msg(format!(
            "this is a child's child's child, {DEEPEST} deep, and starts no other: does a child start its own program?"
        )));
    }
    let (device, inode) = socket(stdin)?;
    Ok(format!("{generation} {device} {inode}"))
}

/// Device and inode of a socket.
fn socket(descriptor: BorrowedFd<'_>) -> io::Result<(u64, u64)> {
    let metadata = File::from(descriptor.try_clone_to_owned()?).metadata()?;
    if metadata.file_type().is_socket() {
        return Ok((metadata.dev(), metadata.ino()));
    }
    Err(io::Error::from(io::ErrorKind::InvalidInput))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_mark_is_that_of_one_socket_and_nothing_else_is_one() {
        let (one, other) = UnixStream::pair().unwrap();
        let mark: Mark = for_child(one.as_fd()).unwrap().parse().unwrap();
        assert_eq!(mark, Mark { generation: 1, stdin: socket(one.as_fd()).unwrap() });
        assert_eq!(mark.stdin, socket(one.try_clone().unwrap().as_fd()).unwrap());
        assert_ne!(mark.stdin, socket(other.as_fd()).unwrap());
        assert!(socket(File::open("/dev/null").unwrap().as_fd()).is_err());
        for text in ["", "1", "yes", "1 2", "1 2 x", "-1 2 3", "99999999999 2 3"] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
    }
}
