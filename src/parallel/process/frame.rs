//! Frames on a connection: what it is, which call it belongs to, a length and as many bytes, both ways,
//! never waiting for longer than a slice.
//!
//! Nothing is taken for an answer but the answer to the call that was sent: what is late, comes twice or
//! was written by somebody else is invalid data.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Longest wait on the connection before whoever waits looks up.
pub(super) const SLICE: Duration = Duration::from_millis(20);
/// Longer frames are a mistake: nothing in memory is larger.
const LONGEST: u64 = 1 << 40;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A child is there; the names of its functions.
    Hello,
    /// A function's name and a document.
    Call,
    /// The call has arrived; nothing more.
    Taken,
    /// What became of the call.
    Answer,
}

impl Kind {
    fn mark(self) -> [u8; 8] {
        match self {
            Self::Hello => *b"gl2hello",
            Self::Call => *b"gl2:call",
            Self::Taken => *b"gl2taken",
            Self::Answer => *b"gl2reply",
        }
    }
}

/// What stands before the bytes of a frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    mark: [u8; 8],
    /// Which call.
    pub(super) number: u64,
    length: u64,
}

const HEADER: usize = 24;

impl Header {
    fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(&self.mark);
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..].copy_from_slice(&self.length.to_le_bytes());
        bytes
    }

    fn of_bytes(bytes: [u8; HEADER]) -> Self {
        let word = |at: usize| std::array::from_fn(|index| bytes[at + index]);
        Self { mark: word(0), number: u64::from_le_bytes(word(8)), length: u64::from_le_bytes(word(16)) }
    }
}

/// A frame for these bytes, which are appended by `fill`.
pub(super) fn frame(kind: Kind, number: u64, fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    fill(&mut bytes);
    let header = Header { mark: kind.mark(), number, length: (bytes.len() - HEADER) as u64 };
    bytes[..HEADER].copy_from_slice(&header.to_bytes());
    bytes
}

/// Writes everything; `look` is asked between slices whether to go on.
pub(super) fn write<E: From<io::Error>>(
    mut to: &UnixStream,
    mut bytes: &[u8],
    mut look: impl FnMut() -> Result<(), E>,
) -> Result<(), E> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(io::Error::from(ErrorKind::WriteZero).into()),
            Ok(written) => bytes = &bytes[written..],
            Err(error) if is_slice(&error) => look()?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads this frame; `look` is asked between slices whether to go on. `UnexpectedEof` at the end, and
/// `InvalidData` where another frame comes or none.
pub(super) fn read<E: From<io::Error>>(
    from: &UnixStream,
    kind: Kind,
    number: u64,
    mut look: impl FnMut() -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let header = read_header(from, kind, &mut look)?;
    if header.number != number {
        return Err(invalid("a frame of another call").into());
    }
    read_bytes(from, header, look)
}

/// Reads what stands before a frame of this kind.
pub(super) fn read_header<E: From<io::Error>>(
    from: &UnixStream,
    kind: Kind,
    mut look: impl FnMut() -> Result<(), E>,
) -> Result<Header, E> {
    let mut header = [0; HEADER];
    fill(from, &mut header, &mut look)?;
    let header = Header::of_bytes(header);
    if header.mark != kind.mark() {
        return Err(invalid("no such frame").into());
    }
    if header.length > LONGEST {
        return Err(invalid("a frame longer than memory").into());
    }
    Ok(header)
}

/// Reads the bytes of a frame.
pub(super) fn read_bytes<E: From<io::Error>>(
    from: &UnixStream,
    header: Header,
    mut look: impl FnMut() -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    // Memory is taken as the bytes come: a length that lies takes none.
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < header.length {
        let before = bytes.len();
        let more = (header.length - before as u64).min(1 << 20) as usize;
        bytes.resize(before + more, 0);
        fill(from, &mut bytes[before..], &mut look)?;
    }
    Ok(bytes)
}

/// Whether the other end lives and has said nothing.
pub(super) fn is_silent(mut from: &UnixStream) -> bool {
    let silent = from.set_nonblocking(true).is_ok()
        && loop {
            match from.read(&mut [0]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.is_err_and(|error| error.kind() == ErrorKind::WouldBlock),
            }
        };
    silent && from.set_nonblocking(false).is_ok()
}

fn fill<E: From<io::Error>>(
    mut from: &UnixStream,
    mut bytes: &mut [u8],
    look: &mut impl FnMut() -> Result<(), E>,
) -> Result<(), E> {
    while !bytes.is_empty() {
        match from.read(bytes) {
            Ok(0) => return Err(io::Error::from(ErrorKind::UnexpectedEof).into()),
            Ok(read) => bytes = &mut bytes[read..],
            Err(error) if is_slice(&error) => look()?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// Whether only a slice of the wait is over.
fn is_slice(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
