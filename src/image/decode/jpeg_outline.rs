//! The outline of a JPEG file: what its markers say, without decoding a pixel.
//!
//! The decoder alone is not strict enough: it takes a scan that ends with the file as whole, leaves
//! rows as they were where a marker stands in the middle of a scan, and bounds the scans of
//! progressive files only. The outline refuses these, and knows size, memory and orientation before
//! any memory is taken. It is read in one pass over the file, at memory speed.
//!
//! Layout: ITU-T T.81, annex B.

use crate::error::Cause;

/// More scans than any encoder writes; each costs a pass over all coefficients.
const MAX_SCANS: usize = 100;

/// What the markers of a JPEG file say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outline<'a> {
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) components: u8,
    pub(crate) progressive: bool,
    pub(crate) scans: usize,
    /// The first EXIF block.
    pub(crate) exif: Option<&'a [u8]>,
    /// Components in all scans together; a sequential file has each component once.
    scanned: usize,
}

impl<'a> Outline<'a> {
    /// Reads the markers up to the end of the image; what stands behind it is not looked at.
    pub(crate) fn read(jpeg: &'a [u8]) -> Result<Self, Cause> {
        let mut outline = Self::default();
        let mut rest = jpeg.get(2..).unwrap_or_default();
        loop {
            let (marker, after) = marker(rest)?;
            if marker == 0xD9 {
                return outline.ended();
            }
            rest = outline.segment(marker, after)?;
        }
    }

    /// Takes one segment in, with the scan behind it, and gives what follows.
    fn segment(&mut self, marker: u8, at: &'a [u8]) -> Result<&'a [u8], Cause> {
        if self.complete() || matches!(marker, 0x01 | 0xD0..=0xD8) {
            return Err(Cause::msg(format_args!("marker FF{marker:02X} in a JPEG where none may stand")));
        }
        let (&length, _) = at.split_first_chunk().ok_or_else(truncated)?;
        let length = usize::from(u16::from_be_bytes(length));
        let content = at.get(2..length).ok_or_else(truncated)?;
        let rest = &at[length..];
        match marker {
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => self.frame(marker, content)?,
            0xE1 if content.starts_with(b"Exif\0\0") => self.exif = self.exif.or(Some(content)),
            0xDA => {
                self.scan(content)?;
                return after_scan(rest);
            }
            _ => {}
        }
        Ok(rest)
    }

    fn frame(&mut self, marker: u8, content: &[u8]) -> Result<(), Cause> {
        if self.components > 0 {
            return Err(Cause::msg("a JPEG with two frames"));
        }
        let &[_precision, h1, h0, w1, w0, components, ..] = content else { return Err(truncated()) };
        (self.height, self.width) = (u16::from_be_bytes([h1, h0]), u16::from_be_bytes([w1, w0]));
        self.components = components;
        self.progressive = matches!(marker, 0xC2 | 0xC6 | 0xCA | 0xCE);
        Ok(())
    }

    fn scan(&mut self, content: &[u8]) -> Result<(), Cause> {
        if self.components == 0 {
            return Err(Cause::msg("a JPEG with a scan before its frame"));
        }
        self.scans += 1;
        self.scanned += usize::from(*content.first().ok_or_else(truncated)?);
        if self.scans > MAX_SCANS {
            return Err(Cause::msg(format_args!("a JPEG with more than {MAX_SCANS} scans")));
        }
        Ok(())
    }

    /// Whether a sequential file has had all its scans.
    fn complete(&self) -> bool {
        !self.progressive && self.components > 0 && self.scanned >= usize::from(self.components)
    }

    fn ended(self) -> Result<Self, Cause> {
        if self.scans == 0 || !(self.progressive || self.complete()) {
            return Err(Cause::msg("a JPEG that ends before all its scans"));
        }
        Ok(self)
    }

    /// Bytes a pixel that the decoder holds beside the pixels: all coefficients, unless they come row
    /// by row.
    pub(crate) fn coefficient_bytes(&self) -> usize {
        let row_by_row = !self.progressive && self.scans == 1;
        if row_by_row { 0 } else { 2 * usize::from(self.components) }
    }
}

fn truncated() -> Cause {
    Cause::msg("truncated: the JPEG ends before its end-of-image marker")
}

/// The next marker and what follows it. Bytes before it are skipped; the decoder judges them.
fn marker(bytes: &[u8]) -> Result<(u8, &[u8]), Cause> {
    let mut rest = bytes;
    loop {
        rest = &rest[find_ff(rest).ok_or_else(truncated)?..];
        let fill = rest.iter().take_while(|&&byte| byte == 0xFF).count();
        match rest.get(fill).ok_or_else(truncated)? {
            0 => rest = &rest[fill + 1..],
            &marker => return Ok((marker, &rest[fill + 1..])),
        }
    }
}

/// What follows the entropy-coded data: the next marker that is neither a stuffed byte nor a restart.
fn after_scan(data: &[u8]) -> Result<&[u8], Cause> {
    let mut rest = data;
    loop {
        rest = &rest[find_ff(rest).ok_or_else(truncated)?..];
        match rest.get(1).ok_or_else(truncated)? {
            0 | 0xD0..=0xD7 => rest = &rest[2..],
            _ => return Ok(rest),
        }
    }
}

/// Where the next FF byte is, sought in blocks because the compiler vectorises those.
fn find_ff(bytes: &[u8]) -> Option<usize> {
    const BLOCK: usize = 64;
    let (blocks, _) = bytes.as_chunks::<BLOCK>();
    let clean =
        blocks.iter().take_while(|block| !block.iter().fold(false, |any, &b| any | (b == 0xFF))).count();
    let start = clean * BLOCK;
    bytes[start..].iter().position(|&byte| byte == 0xFF).map(|at| start + at)
}
