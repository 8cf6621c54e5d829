//! What the components of a JPEG mean, and their colours as RGB.

use super::frame::Component;

/// What the components are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colors {
    Grey,
    YCbCr,
    Rgb,
    /// Inverted, as Adobe writes them; also the other one.
    Cmyk,
    Ycck,
}

/// What a file says of its colours before its first scan.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Hints {
    pub(super) jfif: bool,
    /// The transform that Adobe's segment names.
    pub(super) adobe: Option<u8>,
}

impl Hints {
    /// Takes in an application's segment.
    pub(super) fn read(&mut self, marker: u8, content: &[u8]) {
        match marker {
            0xE0 if content.len() >= 14 && content.starts_with(b"JFIF\0") => self.jfif = true,
            0xEE if content.len() >= 12 && content.starts_with(b"Adobe") => self.adobe = Some(content[11]),
            _ => {}
        }
    }

    /// The rules of libjpeg (`default_decompress_parms`): JFIF is believed first, then Adobe, then the names of the
    /// components.
    pub(super) fn colors(self, components: &[Component]) -> Colors {
        let ids = || [0, 1, 2].map(|at| components.get(at).map_or(0, |component| component.id));
        match (components.len(), self.adobe) {
            (1, _) => Colors::Grey,
            (4, None | Some(0)) => Colors::Cmyk,
            (4, Some(_)) => Colors::Ycck,
            _ if self.jfif => Colors::YCbCr,
            (_, Some(0)) => Colors::Rgb,
            (_, None) if ids() == *b"RGB" => Colors::Rgb,
            _ => Colors::YCbCr,
        }
    }
}

/// Writes a row of the picture; `rows` has the samples of each component.
#[inline(always)]
pub(super) fn write_row<const BYTES: usize>(colors: Colors, rows: &[Vec<u8>], output: &mut [[u8; BYTES]]) {
    match (colors, rows) {
        (Colors::Grey, [grey]) => each(output, grey, grey, grey, |pixel| pixel),
        (Colors::Rgb, [red, green, blue]) => each(output, red, green, blue, |pixel| pixel),
        (Colors::YCbCr, [y, cb, cr]) => each(output, y, cb, cr, rgb),
        (Colors::Cmyk, [cyan, magenta, yellow, black]) => {
            each(output, cyan, magenta, yellow, |pixel| pixel);
            print_black(output, black);
        }
        (Colors::Ycck, [y, cb, cr, black]) => {
            each(output, y, cb, cr, |pixel| rgb(pixel).map(|value| 255 - value));
            print_black(output, black);
        }
        _ => {}
    }
}

/// Pixels that are made in one go, so that the compiler uses instructions for many.
const TOGETHER: usize = 16;

#[inline(always)]
fn each<const BYTES: usize>(
    output: &mut [[u8; BYTES]],
    a: &[u8],
    b: &[u8],
    c: &[u8],
    of: impl Fn([u8; 3]) -> [u8; 3],
) {
    let length = output.len().min(a.len()).min(b.len()).min(c.len());
    let whole = length - length % TOGETHER;
    let (blocks, rest) = output[..length].split_at_mut(whole);
    let inputs =
        a.as_chunks::<TOGETHER>().0.iter().zip(b.as_chunks::<TOGETHER>().0).zip(c.as_chunks::<TOGETHER>().0);
    for (pixels, ((a, b), c)) in blocks.as_chunks_mut::<TOGETHER>().0.iter_mut().zip(inputs) {
        let mut words = [0_u32; TOGETHER];
        for at in 0..TOGETHER {
            let [red, green, blue] = of([a[at], b[at], c[at]]).map(u32::from);
            words[at] = red | (green << 8) | (blue << 16);
        }
        for (pixel, word) in pixels.iter_mut().zip(words.map(u32::to_le_bytes)) {
            *pixel = std::array::from_fn(|byte| word[byte]);
        }
    }
    for (at, pixel) in rest.iter_mut().enumerate() {
        let at = whole + at;
        [pixel[0], pixel[1], pixel[2]] = of([a[at], b[at], c[at]]);
    }
}

#[inline(always)]
fn print_black<const BYTES: usize>(output: &mut [[u8; BYTES]], black: &[u8]) {
    for (pixel, &black) in output.iter_mut().zip(black) {
        pixel[..3].iter_mut().for_each(|ink| *ink = under(*ink, black));
    }
}

/// JFIF's YCbCr, with the constants of libjpeg in 16 digits behind the point. Whole parts of them are taken out, so
/// that what is multiplied has 16 bits, of which eight are multiplied at once.
#[inline(always)]
fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i16::from(y), i16::from(cb) - 128, i16::from(cr) - 128);
    let times = |value: i16, constant: i16| i32::from(value) * i32::from(constant);
    let part = |products: i32| ((products + HALF) >> 16) as i16;
    let red = y + cr + part(times(cr, 26_345));
    let green = y - cr + part(times(cb, -22_554) + times(cr, 18_734));
    let blue = y + 2 * cb + part(times(cb, -14_942));
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// An inverted ink under inverted black, rounded as Pillow does: `K - (255 - C) · K / 255`.
#[inline(always)]
fn under(ink: u8, black: u8) -> u8 {
    let product = (255 - u32::from(ink)) * u32::from(black) + 128;
    black - (((product >> 8) + product) >> 8) as u8
}
