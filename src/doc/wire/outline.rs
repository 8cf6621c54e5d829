//! What a message would take in memory, counted before any is taken.
//!
//! Two bytes of a message can be an empty chunk, and that is a whole document in memory. So the outline is
//! walked first: which messages stand in which, and how long everything is.

use crate::error::Cause;

/// Messages in messages: as deep as prost goes.
const DEEPEST: usize = 90;

/// The kinds of message whose fields are messages again.
#[derive(Clone, Copy)]
enum Kind {
    Document,
    Array,
    Map,
    MapEntry,
    Value,
    List,
    Scores,
    /// Nothing inside is a message.
    Leaf,
}

impl Kind {
    /// The message that a field holds.
    fn field(self, field: u64) -> Option<Self> {
        match (self, field) {
            (Self::Document, 14 | 15) => Some(Self::Document),
            (Self::Document, 3 | 16) => Some(Self::Array),
            (Self::Document, 17 | 20) | (Self::Value, 5) => Some(Self::Map),
            (Self::Document, 18 | 19) => Some(Self::Scores),
            (Self::Array, 1) | (Self::Scores, 2) => Some(Self::Leaf),
            (Self::Map, 1) => Some(Self::MapEntry),
            (Self::MapEntry, 2) | (Self::List, 1) => Some(Self::Value),
            (Self::Value, 6) => Some(Self::List),
            _ => None,
        }
    }

    /// Bytes that the message and what becomes of it take beside what its fields hold.
    fn size(self) -> usize {
        match self {
            Self::Document => 2048,
            Self::Array | Self::Scores | Self::MapEntry => 256,
            Self::Map | Self::Value | Self::List | Self::Leaf => 128,
        }
    }
}

/// Bytes of memory for the document that this message describes.
///
/// # Errors
/// The message is broken, or more than `most` are needed.
pub(super) fn check(message: &[u8], most: usize) -> Result<(), Cause> {
    let mut left = most;
    walk(message, Kind::Document, 0, &mut left).map_err(|ended| match ended {
        Ended::Broken(what) => Cause::msg(format_args!("no document: {what}")),
        Ended::TooMuch => Cause::msg(format_args!(
            "a document that takes more than {most} bytes of memory: see `max_document`"
        )),
    })
}

enum Ended {
    Broken(&'static str),
    TooMuch,
}

fn walk(mut message: &[u8], kind: Kind, depth: usize, left: &mut usize) -> Result<(), Ended> {
    if depth > DEEPEST {
        return Err(Ended::Broken("messages are nested too deeply"));
    }
    spend(left, kind.size())?;
    while !message.is_empty() {
        let key = varint(&mut message)?;
        let length = match key & 7 {
            0 => {
                varint(&mut message)?;
                0
            }
            1 => 8,
            2 => varint(&mut message)?,
            5 => 4,
            _ => return Err(Ended::Broken("a field of an unknown kind")),
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= message.len());
        let Some(length) = length else { return Err(Ended::Broken("a field that ends behind the message")) };
        let (value, rest) = message.split_at(length);
        message = rest;
        match kind.field(key >> 3) {
            Some(inner) if key & 7 == 2 => walk(value, inner, depth + 1, left)?,
            _ => spend(left, length.saturating_mul(2).max(8))?,
        }
    }
    Ok(())
}

fn spend(left: &mut usize, bytes: usize) -> Result<(), Ended> {
    *left = left.checked_sub(bytes).ok_or(Ended::TooMuch)?;
    Ok(())
}

fn varint(message: &mut &[u8]) -> Result<u64, Ended> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first().ok_or(Ended::Broken("a number that is cut off"))?;
        *message = rest;
        value |= u64::from(byte & 127) << shift;
        if byte < 128 {
            return Ok(value);
        }
    }
    Err(Ended::Broken("a number of more than 64 bits"))
}
