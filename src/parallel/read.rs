//! Results as a stream of bytes.

use std::io::{self, Read};

use super::map::MapRun;

/// The results of a run as bytes, one after another: see [`MapRun::into_read`].
#[derive(Debug)]
#[must_use = "nothing is made until it is read"]
pub struct ReadRun<D, R> {
    run: MapRun<D, R>,
    current: Option<R>,
    read: usize,
}

impl<D, R: AsRef<[u8]>> ReadRun<D, R> {
    pub(super) fn new(run: MapRun<D, R>) -> Self {
        Self { run, current: None, read: 0 }
    }

    /// Takes the next result that has bytes; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        loop {
            if self.current.as_ref().is_some_and(|bytes| self.read < bytes.as_ref().len()) {
                return Ok(true);
            }
            self.read = 0;
            self.current = None;
            match self.run.next() {
                Some(Ok((_, bytes))) => self.current = Some(bytes),
                Some(Err(error)) => return Err(io::Error::other(error.to_string())),
                None => return Ok(false),
            }
        }
    }
}

impl<D, R: AsRef<[u8]>> Read for ReadRun<D, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || !self.advance()? {
            return Ok(0);
        }
        let bytes = self.current.as_ref().map_or(&[][..], |bytes| &bytes.as_ref()[self.read..]);
        let count = bytes.len().min(buffer.len());
        buffer[..count].copy_from_slice(&bytes[..count]);
        self.read += count;
        Ok(count)
    }
}
