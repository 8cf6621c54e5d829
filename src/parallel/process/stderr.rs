//! The last lines of what a child writes to stderr.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;

/// What is kept.
const LINES: usize = 20;
const LINE: usize = 1000;
/// What is read at once, at most so many times: whoever writes faster than this reads holds nobody up.
const PART: usize = 4096;
const PARTS: usize = 1024;

/// The last lines of what a child writes to stderr. It is read while an answer is waited for, so that a
/// child that says much does not wait for ever. It is never waited for: another process may hold its end.
pub(super) struct Stderr {
    from: UnixStream,
    lines: VecDeque<Vec<u8>>,
}

impl Stderr {
    pub(super) fn new(from: UnixStream) -> io::Result<Self> {
        from.set_nonblocking(true)?;
        Ok(Self { from, lines: VecDeque::from([Vec::new()]) })
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

    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.lines.iter().filter(|line| !line.is_empty());
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
    }
}
