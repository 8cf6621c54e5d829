//! What is said of a photo beside its pixels never costs them: damaged, missing, unknown or in the wrong place.

use gapless::image::Loader;
use ndarray::Array3;

use super::bytes;

pub(super) fn decode(photo: &[u8]) -> Result<Array3<u8>, String> {
    Loader::own_size().decode(photo).map_err(|cause| cause.to_string())
}

/// Contents that make sense in no note.
fn nonsense() -> Vec<Vec<u8>> {
    let counted = |length: usize| (0..length).map(|at| (at * 31 % 251) as u8).collect();
    let mut all: Vec<Vec<u8>> = [0, 1, 2, 7, 13, 26, 300, 65_000].into_iter().map(counted).collect();
    all.extend([vec![0; 9], vec![0xFF; 26], b"Exif\0\0II*\0\xFF\xFF\xFF\xFF".to_vec()]);
    all
}

#[test]
fn a_png_keeps_its_pixels_whatever_is_noted() {
    const NAMES: [&[u8; 4]; 24] = [
        b"acTL", b"fcTL", b"fdAT", b"bKGD", b"cHRM", b"cICP", b"cLLI", b"dSIG", b"eXIf", b"gAMA", b"hIST",
        b"iCCP", b"iTXt", b"mDCV", b"oFFs", b"pHYs", b"sBIT", b"sPLT", b"sRGB", b"sTER", b"tEXt", b"tIME",
        b"tRNS", b"zTXt",
    ];
    for name in ["rgb.png", "palette.png", "grey.png", "interlaced.png"] {
        let photo = bytes(name);
        let whole = decode(&photo).unwrap();
        let data = photo.windows(4).position(|name| name == b"IDAT").unwrap() - 4;
        let end = photo.len() - 12;
        for note in NAMES {
            for content in nonsense() {
                for (at, good) in [(33, false), (data, true), (data, false), (end, false)] {
                    let with = [&photo[..at], &chunk(note, &content, good), &photo[at..]].concat();
                    let decoded = decode(&with);
                    assert_eq!(decoded.as_ref(), Ok(&whole), "{name}: {note:?} of {}", content.len());
                }
            }
        }
    }
}

pub(super) fn chunk(name: &[u8; 4], content: &[u8], good: bool) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(content);
    let sum = crc.sum() ^ u32::from(!good);
    [&(content.len() as u32).to_be_bytes()[..], name, content, &sum.to_be_bytes()].concat()
}

#[test]
fn a_jpeg_keeps_its_pixels_whatever_is_noted() {
    let heads: [&[u8]; 8] = [
        b"",
        b"Exif\0\0",
        b"ICC_PROFILE\0\x09\x02",
        b"http://ns.adobe.com/xap/1.0/\0",
        b"JFXX\0",
        b"MPF\0",
        b"Photoshop 3.0\0",
        b"Ducky",
    ];
    for name in ["exif-1.jpg", "progressive.jpg", "optimised.jpg"] {
        let photo = bytes(name);
        let whole = decode(&photo).unwrap();
        let frame = photo.windows(2).position(|marker| matches!(marker, [0xFF, 0xC0 | 0xC2])).unwrap();
        for marker in (0xE0..=0xEF).chain([0xFE]) {
            for (head, content) in
                heads.iter().flat_map(|head| nonsense().into_iter().map(move |b| (head, b)))
            {
                let length = (head.len() + content.len() + 2) as u16;
                let note = [&[0xFF, marker][..], &length.to_be_bytes(), head, &content].concat();
                for at in [2, frame, photo.len() - 2] {
                    let with = [&photo[..at], &note, &photo[at..]].concat();
                    assert_eq!(decode(&with).as_ref(), Ok(&whole), "{name}: {marker:X} {head:?}");
                }
            }
            for length in [0, 1] {
                let with = [&photo[..frame], &[0xFF, marker, 0, length], &photo[frame..]].concat();
                assert_eq!(decode(&with).as_ref(), Ok(&whole), "{name}: {marker:X} without a length");
            }
        }
    }
}

#[test]
fn a_gif_keeps_its_pixels_whatever_is_noted() {
    for name in ["plain.gif", "animated.gif", "interlaced.gif"] {
        let photo = bytes(name);
        let whole = decode(&photo).unwrap();
        let start = 13 + if photo[10] & 0x80 > 0 { 3 << ((photo[10] & 7) + 1) } else { 0 };
        for label in 0..=255 {
            for content in nonsense() {
                // What a control extension says is no note.
                if label == 0xF9 && content.len() >= 4 {
                    continue;
                }
                let blocks: Vec<u8> =
                    content.chunks(255).flat_map(|block| [&[block.len() as u8], block].concat()).collect();
                let note = [&[b'!', label][..], &blocks, &[0]].concat();
                for at in [start, photo.len() - 1] {
                    let with = [&photo[..at], &note, &photo[at..]].concat();
                    assert_eq!(decode(&with).as_ref(), Ok(&whole), "{name}: {label:X} of {}", content.len());
                    let frames = Loader::own_size().frames(with.as_slice()).unwrap();
                    assert_eq!(frames[0], whole, "{name}: {label:X} of {}", content.len());
                }
            }
        }
    }
}

/// The chunks of a WebP file behind a `VP8X` chunk with these flags.
pub(super) fn extended(webp: &[u8], flags: u8, before: &[u8], behind: &[u8]) -> Vec<u8> {
    let (width, height) = (23_u32.to_le_bytes(), 15_u32.to_le_bytes());
    let head = [&b"VP8X\x0A\0\0\0"[..], &[flags, 0, 0, 0], &width[..3], &height[..3]].concat();
    let chunks = if webp[12..].starts_with(b"VP8X") { &webp[30..] } else { &webp[12..] };
    let body = [&b"WEBP"[..], &head, before, chunks, behind].concat();
    [&b"RIFF"[..], &(body.len() as u32).to_le_bytes(), &body].concat()
}

#[test]
fn a_webp_keeps_its_pixels_whatever_its_flags_announce() {
    for name in ["lossy.webp", "lossless.webp", "lossy-alpha.webp", "lossless-alpha.webp"] {
        let photo = bytes(name);
        let whole = decode(&photo).unwrap();
        for flags in 0..=255 {
            assert_eq!(
                decode(&extended(&photo, flags, b"", b"")).as_ref(),
                Ok(&whole),
                "{name}: {flags:08b}"
            );
        }
    }
}

#[test]
fn a_webp_keeps_its_pixels_whatever_is_noted() {
    for name in ["lossy.webp", "lossless.webp", "lossy-alpha.webp", "animated.webp"] {
        let photo = bytes(name);
        let whole = decode(&photo).unwrap();
        let animation = if name == "animated.webp" { 2 } else { 0 };
        for note in [b"EXIF", b"XMP ", b"ICCP", b"UNKN", b"ANIN"] {
            for content in nonsense() {
                let mut chunk = [&note[..], &(content.len() as u32).to_le_bytes(), &content].concat();
                chunk.resize(chunk.len().next_multiple_of(2), 0);
                let cut = [&note[..], &u32::MAX.to_le_bytes(), &content].concat();
                for flags in [0, 0x2C] {
                    for (before, behind) in [(&chunk[..], &b""[..]), (b"", &chunk), (b"", &cut)] {
                        let with = extended(&photo, flags | animation, before, behind);
                        assert_eq!(
                            decode(&with).as_ref(),
                            Ok(&whole),
                            "{name}: {note:?} of {}",
                            content.len()
                        );
                    }
                }
            }
        }
    }
}
