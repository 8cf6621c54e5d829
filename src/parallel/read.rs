//! Results as a stream of bytes.

use std::io::{self, Read};

use super::MapRun;

/// The results of a run as bytes, one after another: see [`MapRun::into_read`].
#[derive(Debug)]
#[must_use = "nothing is made until it is read"]
pub struct ReadRun<D, R> {
    run: MapRun<D, R>,
    current: Option<R>,
    read: usize,
}

impl<D, R: AsRef<[u8]>> MapRun<D, R> {
    /// The results, one after another, as a stream of bytes: the body of a request, a file.
    ///
    /// While one is read the next are made. A failure is an [`std::io::Error`] where its bytes would be.
    ///
    /// ```
    /// use std::io::Read;
    /// # use gapless::{Cause, parallel};
    /// let line = |n: &mut u32| Ok::<_, Cause>(format!("{n}\n").into_bytes());
    /// let mut text = String::new();
    /// parallel::map(1..4, line).run().into_read().read_to_string(&mut text)?;
    /// assert_eq!(text, "1\n2\n3\n");
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn into_read(self) -> ReadRun<D, R> {
        ReadRun { run: self, current: None, read: 0 }
    }
}

impl<D, R> ReadRun<D, R> {
    /// The run behind the bytes, to ask for its report or to stop it.
    pub fn run(&mut self) -> &mut MapRun<D, R> {
        &mut self.run
    }
}

impl<D, R: AsRef<[u8]>> Read for ReadRun<D, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !buffer.is_empty() {
            let bytes = self.current.as_ref().and_then(|bytes| bytes.as_ref().get(self.read..));
            if let Some(left) = bytes.filter(|left| !left.is_empty()) {
                let count = left.len().min(buffer.len());
                buffer[..count].copy_from_slice(&left[..count]);
                self.read += count;
                return Ok(count);
            }
            (self.current, self.read) = (None, 0);
            match self.run.next() {
                Some(Ok((_, bytes))) => self.current = Some(bytes),
                Some(Err(error)) => return Err(io::Error::other(format!("{error:#}"))),
                None => break,
            }
        }
        Ok(0)
    }
}
