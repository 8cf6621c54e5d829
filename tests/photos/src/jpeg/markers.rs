//! Segments.

use crate::jpeg::huffman::Table;
use crate::jpeg::layout::{Layout, Process, Quantisation, Scan};
use crate::random::Random;

/// A marker code and what its segment holds.
pub(crate) type Segment = (u8, Vec<u8>);

const RESTART: u8 = 0xD0;
const END: u8 = 0xD9;

/// Writes markers and segments.
pub(crate) struct Writer<'a> {
    layout: &'a Layout,
    pub(crate) random: Random,
    pub(crate) bytes: Vec<u8>,
}

impl<'a> Writer<'a> {
    /// A file that has its start only.
    pub(crate) fn new(layout: &'a Layout) -> Self {
        Self { layout, random: Random::new(layout.seed, 5), bytes: vec![0xFF, 0xD8] }
    }

    fn marker(&mut self, code: u8, filled: bool) {
        let fill = if filled { self.random.pick(&[0, 0, 1, 2, 5]) } else { 0 };
        self.bytes.extend(std::iter::repeat_n(0xFF, fill));
        self.bytes.extend([0xFF, code]);
    }

    pub(crate) fn restart(&mut self, count: usize) {
        self.marker(RESTART + (count % 8) as u8, self.layout.fill_restarts);
    }

    pub(crate) fn segment(&mut self, (code, body): &Segment) {
        self.marker(*code, self.layout.fill);
        self.bytes.extend((body.len() as u16 + 2).to_be_bytes());
        self.bytes.extend(body);
    }

    /// Segments that go together, in the order given unless the layout has them in any, and with comments.
    pub(crate) fn segments(&mut self, mut segments: Vec<Segment>) {
        segments.extend(self.comments());
        if self.layout.shuffled_segments {
            self.random.shuffle(&mut segments);
        }
        for segment in &segments {
            self.segment(segment);
        }
    }

    /// The end of the file, and what comes behind it.
    pub(crate) fn end(mut self) -> Vec<u8> {
        for segment in self.comments() {
            self.segment(&segment);
        }
        self.marker(END, self.layout.fill);
        let trailing = (0..self.layout.trailing).map(|_| self.random.next() as u8);
        self.bytes.extend(trailing);
        self.bytes
    }

    /// COM and APPn with anything in them, also with what looks like other markers.
    fn comments(&mut self) -> Vec<Segment> {
        let random = &mut self.random;
        let count = if self.layout.comments { random.between(0, 2) } else { 0 };
        let comment = |random: &mut Random| {
            let code = if random.chance(40) { 0xFE } else { 0xE0 + random.between(0, 15) as u8 };
            let mut body = random.pick(&[&b""[..], b"", b"JFXX\0", b"Ducky", b"AROT", b"Exit"]).to_vec();
            for _ in 0..random.pick(&[0, 1, 5, 40, 400]) {
                match random.between(0, 19) {
                    0 => body.push(0xFF),
                    1 => body
                        .extend([0xFF, random.pick(&[0xD8, 0xD9, 0xDA, 0xC0, 0xC4, 0xDB, 0xD0, 0xFF, 0x00])]),
                    _ => body.push(random.next() as u8),
                }
            }
            (code, body)
        };
        (0..count).map(|_| comment(random)).collect()
    }

    /// Huffman tables in one segment or in several.
    pub(crate) fn huffman<'t>(
        &self,
        tables: impl IntoIterator<Item = (&'t (bool, u8), &'t Table)>,
    ) -> Vec<Segment> {
        let body = |((ac, slot), table): (&(bool, u8), &Table)| {
            [&[u8::from(*ac) << 4 | slot][..], &table.bytes()].concat()
        };
        self.joined(0xC4, tables.into_iter().map(body).collect())
    }

    /// Quantisation tables in one segment or in several.
    pub(crate) fn quantisation<'t>(
        &self,
        tables: impl IntoIterator<Item = &'t Quantisation>,
    ) -> Vec<Segment> {
        let body = |table: &Quantisation| {
            let mut body = vec![u8::from(table.wide) << 4 | table.slot];
            for value in table.values {
                let bytes = value.to_be_bytes();
                body.extend(if table.wide { &bytes[..] } else { &bytes[1..] });
            }
            body
        };
        self.joined(0xDB, tables.into_iter().map(body).collect())
    }

    fn joined(&self, code: u8, bodies: Vec<Vec<u8>>) -> Vec<Segment> {
        match (bodies.is_empty(), self.layout.split_segments) {
            (true, _) => Vec::new(),
            (false, true) => bodies.into_iter().map(|body| (code, body)).collect(),
            (false, false) => vec![(code, bodies.concat())],
        }
    }
}

/// The segments that say what the colours are.
pub(crate) fn hints(layout: &Layout, random: &mut Random) -> Vec<Segment> {
    let mut segments = Vec::new();
    if layout.jfif {
        let (unit, density) = (random.between(0, 2) as u8, random.between(1, 300) as u16);
        let [high, low] = density.to_be_bytes();
        let side = if layout.plain { 0 } else { random.pick(&[0, 0, 0, 3]) };
        let mut body =
            [&b"JFIF\0"[..], &[1, random.between(0, 2) as u8, unit, high, low, high, low, side, side]]
                .concat();
        body.extend((0..usize::from(side) * usize::from(side) * 3).map(|_| random.next() as u8));
        segments.push((0xE0, body));
    }
    if let Some(transform) = layout.adobe {
        segments.push((0xEE, [&b"Adobe"[..], &[0, 100, 0, 0, 0, 0, transform]].concat()));
    }
    segments
}

/// How the photo stands: in EXIF, in XMP, in both or in neither.
pub(crate) fn notes(random: &mut Random) -> Vec<Segment> {
    let mut segments = Vec::new();
    if random.chance(15) {
        let value = random.pick(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        // A tag of another number is no orientation.
        let tag = random.pick(&[0x12, 0x12, 0x13]);
        let entry = [1, 0, tag, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0];
        segments.push((0xE1, [&b"Exif\0\0II*\0\x08\0\0\0"[..], &entry, &[0; 4]].concat()));
    }
    for _ in 0..random.pick(&[0, 0, 0, 0, 0, 1, 1, 2]) {
        let value = random.between(0, 9);
        let text = match random.between(0, 4) {
            0 => format!("<tiff:Orientation>{value}</tiff:Orientation>"),
            1 => format!("<rdf:Description tiff:Orientation='{value}' tiff:Orientation=\"{value}\"/>"),
            2 => format!("<tiff:Orientation> {value}</tiff:Orientation>"),
            _ => format!("<rdf:Description tiff:Orientation=\"{value}\"/>"),
        };
        segments.push((0xE1, [&b"http://ns.adobe.com/xap/1.0/\0"[..], text.as_bytes()].concat()));
    }
    segments
}

/// The start of the frame.
pub(crate) fn frame(layout: &Layout) -> Segment {
    let code = match layout.process {
        Process::Baseline => 0xC0,
        Process::Extended => 0xC1,
        Process::Progressive => 0xC2,
    };
    let sides = [layout.height as u16, layout.width as u16].map(u16::to_be_bytes);
    let mut body = [&[8][..], sides.as_flattened(), &[layout.components.len() as u8]].concat();
    for component in &layout.components {
        let factors = (component.across << 4 | component.down) as u8;
        body.extend([component.id, factors, layout.quantisations[component.quantisation].slot]);
    }
    (code, body)
}

/// The start of a scan.
pub(crate) fn scan(layout: &Layout, scan: &Scan) -> Segment {
    let mut body = vec![scan.components.len() as u8];
    for (component, (dc, ac)) in scan.components.iter().zip(&scan.tables) {
        body.extend([layout.components[*component].id, dc << 4 | ac]);
    }
    body.extend([scan.first as u8, scan.last as u8, scan.high << 4 | scan.low]);
    (0xDA, body)
}

/// How many units are between restart markers from here on.
pub(crate) fn restart_interval(interval: usize) -> Segment {
    (0xDD, (interval as u16).to_be_bytes().to_vec())
}
