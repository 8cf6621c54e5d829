//! What a file is like.

use crate::jpeg::pixels::{Content, Padding};

/// The coding process, as the start of the frame names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Process {
    Baseline,
    Extended,
    Progressive,
}

/// How a decoder takes the components, by the rules of libjpeg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    Grey,
    Rgb,
    Ycc,
    Cmyk,
    Ycck,
}

/// Which Huffman tables the scans use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Huffman {
    /// Those of annex K of the standard.
    Standard,
    /// The best for each scan.
    Scan,
    /// The best for all scans together.
    File,
    /// Bad ones: with codes of every length, and for symbols that the scan lacks.
    Odd,
}

/// Where the quantisation tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    BeforeFrame,
    AfterFrame,
    /// Before the first scan that needs them.
    BeforeScan,
}

/// One component of the frame.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    pub(crate) id: u8,
    pub(crate) across: usize,
    pub(crate) down: usize,
    /// Its place in [`Layout::quantisations`].
    pub(crate) quantisation: usize,
}

/// One quantisation table.
#[derive(Clone, Debug)]
pub(crate) struct Quantisation {
    pub(crate) slot: u8,
    pub(crate) wide: bool,
    /// In zigzag order.
    pub(crate) values: [u16; 64],
}

/// One scan.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(crate) components: Vec<usize>,
    pub(crate) first: usize,
    pub(crate) last: usize,
    /// The bit that the scan before left off at, 0 where there was none.
    pub(crate) high: u8,
    pub(crate) low: u8,
    /// For each component its tables: of DC, of AC.
    pub(crate) tables: Vec<(u8, u8)>,
    pub(crate) restart: usize,
}

/// What a file is like, all of it decided by a seed.
#[derive(Clone, Debug)]
pub struct Layout {
    pub(crate) seed: u64,
    pub(crate) plain: bool,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) content: Content,
    pub(crate) padding: Padding,
    pub(crate) process: Process,
    pub(crate) components: Vec<Component>,
    pub(crate) quantisations: Vec<Quantisation>,
    pub(crate) scans: Vec<Scan>,
    pub(crate) jfif: bool,
    pub(crate) adobe: Option<u8>,
    /// JFIF and Adobe come after the frame's start.
    pub(crate) late_hints: bool,
    pub(crate) huffman: Huffman,
    /// How many blocks one end-of-band code may stand for.
    pub(crate) run_limit: u32,
    pub(crate) quantisation_place: Place,
    /// The Huffman tables of the first scan come before the frame.
    pub(crate) early_huffman: bool,
    /// Every table has a segment of its own.
    pub(crate) split_segments: bool,
    /// Tables that nothing uses are there too.
    pub(crate) spare_tables: bool,
    /// Tables that have not changed are there again.
    pub(crate) repeated_tables: bool,
    pub(crate) shuffled_segments: bool,
    /// COM and APPn wherever they may be.
    pub(crate) comments: bool,
    /// FF before markers.
    pub(crate) fill: bool,
    /// FF before restart markers.
    pub(crate) fill_restarts: bool,
    /// How many bytes come behind the end.
    pub(crate) trailing: usize,
}

impl Layout {
    /// The colours that libjpeg sees: JFIF is believed before Adobe, and Adobe before the ids.
    pub(crate) fn colour(&self) -> Colour {
        let ids: Vec<u8> = self.components.iter().map(|component| component.id).collect();
        match (self.components.len(), self.adobe) {
            (1, _) => Colour::Grey,
            (4, Some(1 | 2)) => Colour::Ycck,
            (4, _) => Colour::Cmyk,
            (_, _) if self.jfif => Colour::Ycc,
            (_, Some(0)) => Colour::Rgb,
            (_, Some(_)) => Colour::Ycc,
            (_, None) if ids == *b"RGB" => Colour::Rgb,
            (_, None) => Colour::Ycc,
        }
    }

    /// The largest sampling factors.
    pub(crate) fn most(&self) -> (usize, usize) {
        let most = |factor: fn(&Component) -> usize| self.components.iter().map(factor).max().unwrap_or(1);
        (most(|component| component.across), most(|component| component.down))
    }

    /// For each component and coefficient the lowest bit that the scans bring, or `None` without any.
    pub(crate) fn precision(&self) -> Vec<[Option<u8>; 64]> {
        let mut known = vec![[None; 64]; self.components.len()];
        for scan in &self.scans {
            for &component in &scan.components {
                known[component][scan.first..=scan.last].fill(Some(scan.low));
            }
        }
        known
    }
}
