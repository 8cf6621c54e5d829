//! The blocks of a GIF, one after the other: its screen, its frames, and what is said of them.
//!
//! What does not make pixels is passed over, whatever it is: extensions of any label and length, bytes between blocks,
//! and an end that is missing. Layout: GIF89a, sections 17 to 27.

use crate::error::Cause;

/// What is left of a file, and what its head says of all frames.
pub(super) struct Blocks<'a> {
    rest: &'a [u8],
    /// Width and height of the screen, which frames may exceed.
    pub(super) screen: (u32, u32),
    /// Colours of the frames that have none of their own.
    palette: Palette<'a>,
    /// The index of the background.
    pub(super) background: u8,
}

/// What becomes of a frame's place before the next is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disposal {
    Keep,
    Background,
    Previous,
}

/// One frame.
pub(super) struct Frame<'a> {
    /// The left column and the top row on the canvas.
    pub(super) at: (usize, usize),
    /// Width and height; never 0.
    pub(super) size: (usize, usize),
    pub(super) interlaced: bool,
    pub(super) palette: Palette<'a>,
    pub(super) transparent: Option<u8>,
    /// `None` where nothing is said: then it is that of the frame before.
    pub(super) disposal: Option<Disposal>,
    /// Bits of an index.
    pub(super) bits: u8,
    pub(super) data: SubBlocks<'a>,
}

/// Colours of indices; grey, where the file has none.
#[derive(Clone, Copy)]
pub(super) struct Palette<'a>(Option<&'a [u8]>);

impl Palette<'_> {
    /// Colours that the file names.
    pub(super) fn len(self) -> usize {
        self.0.map_or(256, |stored| stored.len() / 3)
    }

    /// All 256 colours. An index behind the last is black.
    pub(super) fn colors(self) -> [[u8; 3]; 256] {
        let stored = self.0.map(|stored| stored.as_chunks().0);
        std::array::from_fn(|index| match stored {
            Some(stored) => stored.get(index).copied().unwrap_or_default(),
            None => [index as u8; 3],
        })
    }
}

/// What a control extension says of the frame behind it.
#[derive(Default)]
struct Control {
    transparent: Option<u8>,
    disposal: Option<Disposal>,
}

impl<'a> Blocks<'a> {
    pub(super) fn open(gif: &'a [u8]) -> Result<Self, Cause> {
        let (&[w0, w1, h0, h1, flags, background, _], rest) =
            gif.get(6..).and_then(<[u8]>::split_first_chunk).ok_or_else(truncated)?;
        let (palette, rest) = palette(flags, rest)?;
        let screen = (u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into());
        let background = if flags & 0x80 > 0 { background } else { 0 };
        Ok(Self { rest, screen, palette: Palette(palette), background })
    }

    /// The next frame. A file may end between two without saying so.
    pub(super) fn next(&mut self) -> Result<Option<Frame<'a>>, Cause> {
        let mut control = Control::default();
        while let Some((&kind, rest)) = self.rest.split_first() {
            match kind {
                b';' => return Ok(None),
                b',' => {
                    self.rest = rest;
                    return self.frame(control).map(Some);
                }
                b'!' => {
                    let Some((&label, rest)) = rest.split_first() else { return Ok(None) };
                    let mut content = SubBlocks { rest };
                    if label == 0xF9 {
                        control.read(content.clone().next().unwrap_or_default());
                    }
                    content.by_ref().for_each(drop);
                    self.rest = content.rest;
                }
                _ => self.rest = rest,
            }
        }
        Ok(None)
    }

    fn frame(&mut self, control: Control) -> Result<Frame<'a>, Cause> {
        let (&[x0, x1, y0, y1, w0, w1, h0, h1, flags], rest) =
            self.rest.split_first_chunk().ok_or_else(truncated)?;
        let number = |low, high| usize::from(u16::from_le_bytes([low, high]));
        let (local, rest) = palette(flags, rest)?;
        let (&bits, rest) = rest.split_first().ok_or_else(truncated)?;
        let data = SubBlocks { rest };
        let mut behind = data.clone();
        behind.by_ref().for_each(drop);
        self.rest = behind.rest;
        let size = (number(w0, w1), number(h0, h1));
        if size.0 == 0 || size.1 == 0 {
            return Err(Cause::msg(format_args!("a GIF frame of {}×{} pixels", size.0, size.1)));
        }
        Ok(Frame {
            at: (number(x0, x1), number(y0, y1)),
            size,
            interlaced: flags & 0x40 > 0,
            palette: local.map_or(self.palette, |local| Palette(Some(local))),
            transparent: control.transparent,
            disposal: control.disposal,
            bits,
            data,
        })
    }
}

impl Frame<'_> {
    /// Width and height of the smallest canvas that holds it.
    pub(super) fn extent(&self) -> (u32, u32) {
        ((self.at.0 + self.size.0) as u32, (self.at.1 + self.size.1) as u32)
    }
}

impl Control {
    /// What is too short to be read says nothing.
    fn read(&mut self, content: &[u8]) {
        let &[flags, _, _, index, ..] = content else { return };
        if flags & 1 > 0 {
            self.transparent = Some(index);
        }
        self.disposal = match (flags >> 2) & 7 {
            0 => self.disposal,
            1 => Some(Disposal::Keep),
            2 => Some(Disposal::Background),
            _ => Some(Disposal::Previous),
        };
    }
}

/// Blocks of up to 255 bytes, to the one without any; the last one of a file that is cut is what is there of it.
#[derive(Clone)]
pub(super) struct SubBlocks<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for SubBlocks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.rest.split_first()?;
        let (block, rest) = rest.split_at(usize::from(length).min(rest.len()));
        self.rest = rest;
        (length > 0).then_some(block)
    }
}

type Split<'a> = (Option<&'a [u8]>, &'a [u8]);

/// The palette that these flags announce, and what follows it.
fn palette(flags: u8, bytes: &[u8]) -> Result<Split<'_>, Cause> {
    if flags & 0x80 == 0 {
        return Ok((None, bytes));
    }
    let (palette, rest) = bytes.split_at_checked(3 << ((flags & 7) + 1)).ok_or_else(truncated)?;
    Ok((Some(palette), rest))
}

pub(super) fn truncated() -> Cause {
    Cause::msg("truncated: the GIF ends before the last pixel of a frame")
}
