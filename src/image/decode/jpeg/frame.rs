//! The frame of a JPEG: its size, its components and how finely each is sampled.
//!
//! ITU-T T.81, A.1.1, A.2 and B.2.2.

use super::segments::truncated;
use crate::error::Cause;

/// What the frame header says.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) progressive: bool,
    pub(super) components: Vec<Component>,
    /// Samples of the finest component across and down, of which an interleaved unit holds one block each.
    pub(super) finest: (usize, usize),
    /// Interleaved units across and down.
    pub(super) units: (usize, usize),
}

/// One component of the picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Sampling factors.
    pub(super) across: usize,
    pub(super) down: usize,
    /// Which quantisation table it uses.
    pub(super) table: usize,
    /// Samples that it has.
    pub(super) size: (usize, usize),
    /// Blocks that it has where a scan is of it alone.
    pub(super) blocks: (usize, usize),
    /// Blocks with those that only fill interleaved units.
    pub(super) stored: (usize, usize),
}

impl Frame {
    /// Reads the header of this marker; refuses the kinds of JPEG that are not decoded here by their names.
    pub(super) fn read(marker: u8, content: &[u8]) -> Result<Self, Cause> {
        let (&[precision, h1, h0, w1, w0, count], each) =
            content.split_first_chunk().ok_or_else(truncated)?;
        let (height, width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
        supported(marker, precision, height)?;
        if !matches!(count, 1 | 3 | 4) || each.len() != 3 * usize::from(count) {
            return Err(Cause::msg(format_args!("a JPEG of {count} components: only 1, 3 and 4 are known")));
        }
        let mut frame = Self {
            width: width.into(),
            height: height.into(),
            progressive: marker == 0xC2,
            components: each.as_chunks().0.iter().map(component).collect::<Result<_, _>>()?,
            finest: (1, 1),
            units: (0, 0),
        };
        frame.measure();
        frame.divides()?;
        Ok(frame)
    }

    /// Whether each sample of a coarser component stands for a whole number of the finest.
    fn divides(&self) -> Result<(), Cause> {
        let finest = self.finest;
        let odd =
            |part: &&Component| !(finest.0.is_multiple_of(part.across) && finest.1.is_multiple_of(part.down));
        self.components.iter().find(odd).map_or(Ok(()), |part| {
            Err(Cause::msg(format_args!(
                "a JPEG with a component sampled {}×{} where the finest is {}×{}: not decoded",
                part.across, part.down, finest.0, finest.1
            )))
        })
    }

    fn measure(&mut self) {
        let most = |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        let (across, down) = (most(|component| component.across), most(|component| component.down));
        self.finest = (across, down);
        self.units = (self.width.div_ceil(8 * across), self.height.div_ceil(8 * down));
        for component in &mut self.components {
            let width = (self.width * component.across).div_ceil(across);
            let height = (self.height * component.down).div_ceil(down);
            component.size = (width, height);
            component.blocks = (width.div_ceil(8), height.div_ceil(8));
            component.stored = (self.units.0 * component.across, self.units.1 * component.down);
        }
    }

    /// Samples of all components that are kept: all of them, or those of two interleaved units down.
    pub(super) fn samples(&self, all: bool) -> u64 {
        self.components.iter().map(|component| (8 * component.stored.0 * component.rows(all)) as u64).sum()
    }

    /// Bytes of the coefficients that are kept, and of what is noted of each block.
    pub(super) fn coefficients(&self) -> u64 {
        let blocks = |part: &Component| (part.stored.0 * part.kept_blocks(self)) as u64;
        self.components.iter().map(|part| (2 * 64 + 1) * blocks(part)).sum()
    }
}

impl Component {
    /// Rows of blocks whose coefficients are kept: all of a progressive file, else those of a row of units.
    pub(super) fn kept_blocks(&self, frame: &Frame) -> usize {
        if frame.progressive { self.stored.1 } else { self.down }
    }

    pub(super) fn rows(&self, all: bool) -> usize {
        8 * if all { self.stored.1 } else { self.stored.1.min(2 * self.down) }
    }
}

fn supported(marker: u8, precision: u8, height: u16) -> Result<(), Cause> {
    let kind = match marker {
        0xC3 => "a lossless JPEG",
        0xC5..=0xC7 | 0xCD..=0xCF => "a hierarchical JPEG",
        0xC9..=0xCB => "a JPEG with arithmetic coding",
        _ if precision != 8 => {
            return Err(Cause::msg(format_args!(
                "a JPEG of {precision} bits a sample, and only 8 are decoded"
            )));
        }
        _ if height == 0 => "a JPEG whose height stands behind its first scan (DNL)",
        _ => return Ok(()),
    };
    Err(Cause::msg(format_args!("{kind}: not decoded")))
}

fn component(&[id, factors, table]: &[u8; 3]) -> Result<Component, Cause> {
    let (across, down) = (usize::from(factors >> 4), usize::from(factors & 15));
    if !(1..=4).contains(&across) || !(1..=4).contains(&down) || table > 3 {
        return Err(Cause::msg(format_args!(
            "a JPEG with a component of sampling {across}×{down} and table {table}"
        )));
    }
    Ok(Component { id, across, down, table: table.into(), ..Component::default() })
}
