//! Frames on a connection: a length and as many bytes, both ways, never waiting for longer than a slice.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Longest wait on the connection before whoever waits looks up.
pub(super) const SLICE: Duration = Duration::from_millis(20);
/// Longer frames are a mistake: nothing in memory is larger.
const LONGEST: u64 = 1 << 40;

/// A frame for these bytes, which are appended by `fill`.
pub(super) fn frame(fill: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![0; 8];
    fill(&mut bytes);
    let length = (bytes.len() - 8) as u64;
    bytes[..8].copy_from_slice(&length.to_le_bytes());
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

/// Reads a frame; `look` is asked between slices whether to go on. `UnexpectedEof` at the end.
pub(super) fn read<E: From<io::Error>>(
    from: &UnixStream,
    mut look: impl FnMut() -> Result<(), E>,
) -> Result<Vec<u8>, E> {
    let mut length = [0; 8];
    fill(from, &mut length, &mut look)?;
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::new(ErrorKind::InvalidData, "a frame longer than memory").into());
    }
    // Memory is taken as the bytes come: a length that lies takes none.
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < length {
        let before = bytes.len();
        let more = (length - before as u64).min(1 << 20) as usize;
        bytes.resize(before + more, 0);
        fill(from, &mut bytes[before..], &mut look)?;
    }
    Ok(bytes)
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

/// Whether only a slice of the wait is over.
fn is_slice(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
