//! How a photo stands is said by EXIF, or else by XMP, wherever the format has them.

use super::bytes;
use super::notes::{chunk, decode, extended};

/// An EXIF block with one value, the orientation, or none.
fn exif(value: Option<u8>) -> Vec<u8> {
    let entry = |value| [1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, value, 0, 0, 0];
    let entries = value.map_or(vec![0, 0], |value| entry(value).to_vec());
    [&b"II*\0\x08\0\0\0"[..], &entries, &[0; 4]].concat()
}

/// A packet that is not the smallest, with a value that another reader would take.
fn xmp(value: u8) -> Vec<u8> {
    let padding = " ".repeat(2_000);
    format!("<?xpacket?><x exif:Orientation=\"2\" tiff:Orientation=\"{value}\"/>{padding}").into_bytes()
}

/// What a file is made of and the notes to go with it.
type WithNotes = fn(&[u8], Option<&[u8]>, Option<&[u8]>) -> Vec<u8>;

const FORMATS: [(&str, WithNotes); 5] = [
    ("rgb.jpg", jpeg),
    ("rgb.png", |png, exif, xmp| with_chunks(png, 33, exif, xmp)),
    ("interlaced.png", |png, exif, xmp| with_chunks(png, png.len() - 12, exif, xmp)),
    ("lossy.webp", webp),
    ("lossless.webp", webp),
];

fn jpeg(photo: &[u8], exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Vec<u8> {
    let segment = |head: &[u8], content: Option<&[u8]>| {
        let Some(content) = content else { return Vec::new() };
        let length = (head.len() + content.len() + 2) as u16;
        [&[0xFF, 0xE1][..], &length.to_be_bytes(), head, content].concat()
    };
    let (xmp, exif) = (segment(b"http://ns.adobe.com/xap/1.0/\0", xmp), segment(b"Exif\0\0", exif));
    [&photo[..2], &xmp, &exif, &photo[2..]].concat()
}

fn with_chunks(png: &[u8], at: usize, exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Vec<u8> {
    let packet = |xmp: &[u8]| [b"XML:com.adobe.xmp\0\0\0en\0name\0", xmp].concat();
    let xmp = xmp.map_or(Vec::new(), |xmp| chunk(b"iTXt", &packet(xmp), true));
    let exif = exif.map_or(Vec::new(), |exif| chunk(b"eXIf", exif, true));
    [&png[..at], &xmp, &exif, &png[at..]].concat()
}

fn webp(photo: &[u8], exif: Option<&[u8]>, xmp: Option<&[u8]>) -> Vec<u8> {
    let note = |name: &[u8; 4], content: Option<&[u8]>| {
        let Some(content) = content else { return Vec::new() };
        let mut note = [name, &(content.len() as u32).to_le_bytes()[..], content].concat();
        note.resize(note.len().next_multiple_of(2), 0);
        note
    };
    let flags = if exif.is_some() { 8 } else { 0 } | if xmp.is_some() { 4 } else { 0 };
    extended(photo, flags, b"", &[note(b"EXIF", exif), note(b"XMP ", xmp)].concat())
}

#[test]
fn xmp_turns_a_photo_as_exif_does() {
    for (name, with) in FORMATS {
        let photo = bytes(name);
        let mut seen = Vec::new();
        for value in 1..=8 {
            let by_exif = decode(&with(&photo, Some(&exif(Some(value))), None)).unwrap();
            let by_xmp = decode(&with(&photo, None, Some(&xmp(value)))).unwrap();
            let by_both = decode(&with(&photo, Some(&exif(None)), Some(&xmp(value)))).unwrap();
            assert_eq!((&by_xmp, &by_both), (&by_exif, &by_exif), "{name}: {value}");
            assert!(!seen.contains(&by_xmp), "{name}: {value} turns as another does");
            seen.push(by_xmp);
        }
    }
}

#[test]
fn exif_is_asked_first_whatever_its_value() {
    for (name, with) in FORMATS {
        let photo = bytes(name);
        for value in 0..=9 {
            let alone = decode(&with(&photo, Some(&exif(Some(value))), None)).unwrap();
            let both = decode(&with(&photo, Some(&exif(Some(value))), Some(&xmp(6)))).unwrap();
            assert_eq!(both, alone, "{name}: {value}");
        }
    }
}

#[test]
fn a_note_that_is_damaged_or_not_announced_turns_nothing() {
    let png = bytes("rgb.png");
    let whole = decode(&png).unwrap();
    let packet = |flag: u8| [&b"XML:com.adobe.xmp\0"[..], &[flag, 0], b"\0\0", &xmp(6)].concat();
    for (name, content, good) in [
        (b"iTXt", packet(0), false),
        (b"eXIf", exif(Some(6)), false),
        (b"iTXt", packet(1), true),
        (b"tEXt", packet(0), true),
    ] {
        let with = [&png[..33], &chunk(name, &content, good), &png[33..]].concat();
        assert_eq!(decode(&with).as_ref(), Ok(&whole), "{name:?}");
    }
    let lossy = bytes("lossy.webp");
    let note = [&b"XMP "[..], &(xmp(6).len() as u32).to_le_bytes(), &xmp(6)].concat();
    assert_eq!(decode(&extended(&lossy, 0, b"", &note)), decode(&lossy));
}
