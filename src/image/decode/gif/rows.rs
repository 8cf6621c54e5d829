//! The rows of a frame, as indices, in the order in which they are stored.

use weezl::decode::Decoder;
use weezl::{BitOrder, LzwStatus};

use super::blocks::{Frame, truncated};
use crate::error::Cause;

/// The first row and the step of each pass over an interlaced frame: GIF89a, appendix E.
const PASSES: [(usize, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];

/// Gives every row of a frame with its number. Nothing behind the last pixel is looked at.
pub(super) fn read(frame: &Frame<'_>, mut each: impl FnMut(usize, &[u8])) -> Result<(), Cause> {
    if !(1..=11).contains(&frame.bits) {
        return Err(Cause::msg(format_args!("a GIF frame of {} bits an index", frame.bits)));
    }
    let (mut decoder, mut row, mut filled) =
        (Decoder::new(BitOrder::Lsb, frame.bits), vec![0; frame.size.0], 0);
    let mut numbers = numbers(frame).peekable();
    for mut block in frame.data.clone() {
        // A code may stand for more pixels than there is room for. They come without a byte, and may do so one call
        // after that in which the decoder took the code and gave nothing.
        let mut idle = 0;
        while idle < 2 {
            let read = decoder.decode_bytes(block, &mut row[filled..]);
            block = &block[read.consumed_in..];
            filled += read.consumed_out;
            if filled == row.len() {
                filled = 0;
                each(numbers.next().unwrap_or_default(), &row);
                if numbers.peek().is_none() {
                    return Ok(());
                }
                continue;
            }
            match read.status.map_err(|_| Cause::msg("a GIF frame with a code that cannot be"))? {
                LzwStatus::Done => return Err(truncated()),
                LzwStatus::NoProgress if read.consumed_in + read.consumed_out == 0 => idle += 1,
                LzwStatus::Ok | LzwStatus::NoProgress => idle = 0,
            }
        }
    }
    Err(truncated())
}

fn numbers(frame: &Frame<'_>) -> impl Iterator<Item = usize> + use<> {
    let height = frame.size.1;
    let passes = if frame.interlaced { &PASSES[..] } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(first, step)| (first..height).step_by(step))
}
