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
pub(super) fn write_row(colors: Colors, rows: &[Vec<u8>], output: &mut [[u8; 3]]) {
    match (colors, rows) {
        (Colors::Grey, [grey]) => output.iter_mut().zip(grey).for_each(|(pixel, &grey)| *pixel = [grey; 3]),
        (Colors::Rgb, [red, green, blue]) => each(output, red, green, blue, |pixel| pixel),
        (Colors::YCbCr, [y, cb, cr]) => each(output, y, cb, cr, rgb),
        (Colors::Cmyk, [cyan, magenta, yellow, black]) => {
            each(output, cyan, magenta, yellow, |pixel| pixel);
            output
                .iter_mut()
                .zip(black)
                .for_each(|(pixel, &black)| *pixel = pixel.map(|ink| under(ink, black)));
        }
        (Colors::Ycck, [y, cb, cr, black]) => {
            each(output, y, cb, cr, |pixel| rgb(pixel).map(|value| 255 - value));
            output
                .iter_mut()
                .zip(black)
                .for_each(|(pixel, &black)| *pixel = pixel.map(|ink| under(ink, black)));
        }
        _ => {}
    }
}

fn each(output: &mut [[u8; 3]], a: &[u8], b: &[u8], c: &[u8], of: impl Fn([u8; 3]) -> [u8; 3]) {
    for (((pixel, &a), &b), &c) in output.iter_mut().zip(a).zip(b).zip(c) {
        *pixel = of([a, b, c]);
    }
}

/// JFIF's YCbCr, with the constants of libjpeg in 16 digits behind the point.
fn rgb([y, cb, cr]: [u8; 3]) -> [u8; 3] {
    const HALF: i32 = 1 << 15;
    let (y, cb, cr) = (i32::from(y), i32::from(cb) - 128, i32::from(cr) - 128);
    let red = y + ((91_881 * cr + HALF) >> 16);
    let green = y + ((HALF - 22_554 * cb - 46_802 * cr) >> 16);
    let blue = y + ((116_130 * cb + HALF) >> 16);
    [red, green, blue].map(|value| value.clamp(0, 255) as u8)
}

/// An inverted ink under inverted black, rounded as Pillow does: `K - (255 - C) · K / 255`.
fn under(ink: u8, black: u8) -> u8 {
    let product = (255 - u32::from(ink)) * u32::from(black) + 128;
    black - (((product >> 8) + product) >> 8) as u8
}
