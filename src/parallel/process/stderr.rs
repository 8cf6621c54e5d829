//! The last lines of what a child writes to stderr.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// What is kept.
const LINES: usize = 20;
const LINE: usize = 1000;
/// What is read at once, at most so many times: whoever writes faster than this reads holds nobody up.
const PART: usize = 1 << 14;
const PARTS: usize = 256;

/// What a pipe may hold, where it can be made as large: more than a child writes between two looks.
#[cfg(target_os = "linux")]
const HELD: usize = 1 << 20;

/// The last lines of what a child writes to stderr. It comes through a pipe, which holds small writes beside each other,
/// where a socket takes a kilobyte of its room for each. It is read while an answer is waited for, so that a
/// child that says much does not wait for ever. It is never waited for: another process may hold its end.
pub(super) struct Stderr {
    from: PipeReader,
    lines: VecDeque<Vec<u8>>,
}

impl Stderr {
    /// With the end that is the child's.
    pub(super) fn new() -> io::Result<(Self, PipeWriter)> {
        let (from, to) = io::pipe()?;
        // What holds less is slower and no failure.
        #[cfg(target_os = "linux")]
        let _less = rustix::pipe::fcntl_setpipe_size(&from, HELD);
        fcntl_setfl(&from, fcntl_getfl(&from)? | OFlags::NONBLOCK)?;
        Ok((Self { from, lines: VecDeque::from([Vec::new()]) }, to))
    }

    /// Takes what is there. Whether anything was.
    pub(super) fn drain(&mut self) -> bool {
        let mut bytes = [0; PART];
        let mut said = false;
        for _ in 0..PARTS {
            match self.from.read(&mut bytes) {
                Ok(0) => break,
                Ok(read) => {
                    said = true;
                    self.keep(&bytes[..read]);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        said
    }

    fn keep(&mut self, bytes: &[u8]) {
        for (place, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if place > 0 {
                self.lines.push_back(Vec::new());
            }
            if self.lines.len() > LINES + 1 {
                self.lines.pop_front();
            }
            if let Some(line) = self.lines.back_mut() {
                line.extend_from_slice(&part[..part.len().min(LINE - line.len())]);
            }
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| !line.is_empty());
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}
