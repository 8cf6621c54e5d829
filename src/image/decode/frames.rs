//! The frames of a GIF, each on its canvas as a viewer shows it.

use ::gif::{DisposalMethod, Frame};

use super::decoded::{Decoded, Layout, blank};
use super::gif;
use crate::error::Cause;
use crate::image::allowance::Allowance;
use crate::image::orient::Orientation;

/// Takes a canvas: RGB without gaps.
pub(super) type Each<'a> = dyn FnMut(Decoded, &[u8]) -> Result<(), Cause> + 'a;

/// Gives every frame's canvas. All of them together must be within the limit.
pub(super) fn decode(bytes: &[u8], allowance: &Allowance, each: &mut Each<'_>) -> Result<(), Cause> {
    let mut decoder = gif::open(bytes)?;
    let sides = (decoder.width().into(), decoder.height().into());
    allowance.admit(sides, 4, 0)?;
    let (mut canvas, mut before, mut indices) = (Vec::new(), Vec::new(), Vec::new());
    blank(&mut canvas, sides, 3)?;
    let mut shown = 0;
    while let Some(frame) = decoder.next_frame_info()?.cloned() {
        shown += 1;
        allowance.admit(sides, 3 * shown + 1, 0)?;
        before.clone_from(&canvas);
        indices.clear();
        indices.resize(usize::from(frame.width) * usize::from(frame.height), 0);
        decoder.read_into_buffer(&mut indices)?;
        paint(&mut canvas, sides.0 as usize, &frame, &indices, decoder.palette()?, shown == 1);
        let decoded = Decoded { sides, layout: Layout::Rgb, orientation: Orientation::default() };
        each(decoded, &canvas)?;
        match frame.dispose {
            DisposalMethod::Any | DisposalMethod::Keep => {}
            DisposalMethod::Background => clear(&mut canvas, sides.0 as usize, &frame),
            DisposalMethod::Previous => std::mem::swap(&mut canvas, &mut before),
        }
    }
    if shown == 0 { Err(Cause::msg("a GIF without a frame")) } else { Ok(()) }
}

/// The rows of the canvas that the frame covers, without what is beside it.
fn rows<'a>(
    canvas: &'a mut [u8],
    width: usize,
    frame: &Frame<'_>,
) -> impl Iterator<Item = &'a mut [[u8; 3]]> {
    let (left, across) = (usize::from(frame.left), usize::from(frame.width));
    let rows = canvas.chunks_exact_mut(3 * width).skip(frame.top.into()).take(frame.height.into());
    rows.map(move |row| &mut row.as_chunks_mut::<3>().0[left..left + across])
}

/// A transparent pixel leaves what is there; in the first frame it keeps the colour of its index, as where
/// only the first frame is decoded.
fn paint(canvas: &mut [u8], width: usize, frame: &Frame<'_>, indices: &[u8], palette: &[u8], first: bool) {
    let colors = palette.as_chunks::<3>().0;
    let transparent = frame.transparent.filter(|_| !first);
    let indices = indices.chunks_exact(frame.width.max(1).into());
    for (row, indices) in rows(canvas, width, frame).zip(indices) {
        for (pixel, &index) in row.iter_mut().zip(indices) {
            if Some(index) != transparent {
                *pixel = colors.get(usize::from(index)).copied().unwrap_or_default();
            }
        }
    }
}

fn clear(canvas: &mut [u8], width: usize, frame: &Frame<'_>) {
    for row in rows(canvas, width, frame) {
        row.fill([0; 3]);
    }
}
