//! Damaged photos: a failure, or the same pixels; never a panic, never another photo's pixels.

use gapless::image::Loader;

use super::bytes;

const WHOLE: [&str; 12] = [
    "exif-6.jpg",
    "progressive.jpg",
    "restart.jpg",
    "odd-420.jpg",
    "cmyk.jpg",
    "grey.jpg",
    "rgb.png",
    "interlaced.png",
    "lossless.webp",
    "lossy-alpha.webp",
    "animated.webp",
    "animated.gif",
];

fn loader() -> Loader {
    Loader::rgb8(24, 16)
}

#[test]
fn a_truncated_photo_is_a_failure_or_the_same_pixels() {
    let loader = loader();
    for name in WHOLE {
        let photo = bytes(name);
        let whole = loader.decode(&photo).unwrap();
        for end in 0..photo.len() {
            match loader.decode(&photo[..end]) {
                Ok(cut) => assert_eq!(cut, whole, "{name} cut at {end} of {}", photo.len()),
                Err(cause) => assert!(!cause.is_panic(), "{name} cut at {end}: {cause}"),
            }
        }
    }
}

#[test]
fn a_jpeg_without_its_last_byte_is_a_failure() {
    let loader = loader();
    for name in WHOLE.iter().filter(|name| name.ends_with(".jpg")) {
        let photo = bytes(name);
        for end in 0..photo.len() {
            assert!(loader.decode(&photo[..end]).is_err(), "{name} cut at {end} of {}", photo.len());
        }
    }
}

#[test]
fn a_jpeg_whose_scan_is_cut_short_and_closed_is_a_failure_or_the_same_pixels() {
    let loader = loader();
    for name in ["exif-1.jpg", "optimised.jpg", "odd-420.jpg", "grey.jpg", "restart.jpg"] {
        let photo = bytes(name);
        let whole = loader.decode(&photo).unwrap();
        let scan = photo.windows(2).rposition(|marker| marker == [0xFF, 0xDA]).unwrap();
        for end in scan + 14..photo.len() - 2 {
            let cut = [&photo[..end], &[0xFF, 0xD9]].concat();
            if let Ok(decoded) = loader.decode(&cut) {
                assert_eq!(decoded, whole, "{name} cut at {end} of {}", photo.len());
            }
        }
    }
}

#[test]
fn what_stands_behind_a_photo_does_not_matter() {
    for name in WHOLE {
        let mut photo = bytes(name);
        let whole = loader().decode(&photo).unwrap();
        photo.extend(b"\xFF\xD8 and more \xFF\xDA");
        assert_eq!(loader().decode(&photo).unwrap(), whole, "{name}");
    }
}

#[test]
fn flipped_bits_never_panic_nor_show_another_photo() {
    let mut random = Random(7);
    let mut decoded = 0;
    let used = loader();
    for name in WHOLE {
        let photo = bytes(name);
        for _ in 0..1000 {
            let mut mutant = photo.clone();
            for _ in 0..=random.below(3) {
                mutant[random.below(photo.len())] ^= 1 << random.below(8);
            }
            // White pixels in the buffers of one loader, none in those of the other.
            used.decode(&white()).unwrap();
            let (fresh, used) = (loader().decode(&mutant), used.decode(&mutant));
            match (fresh, used) {
                (Ok(fresh), Ok(used)) => assert_eq!(fresh, used, "{name}"),
                (Err(fresh), Err(used)) => {
                    assert_eq!(fresh.to_string(), used.to_string());
                    assert!(!fresh.is_panic(), "{name}: {fresh}");
                    continue;
                }
                (fresh, used) => panic!("{name}: {fresh:?} and {used:?} of the same bytes"),
            }
            decoded += 1;
        }
    }
    println!("{decoded} of {} mutants were photos", 1000 * WHOLE.len());
}

/// A white PNG as large as the largest of the photos.
fn white() -> Vec<u8> {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 64, 64);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&[255; 64 * 64]).unwrap();
    png
}

#[test]
fn other_bytes_are_no_photo() {
    for text in [&b""[..], b"\xFF", b"\xFF\xD8", b"RIFF", b"GIF8", b"\x89PNG", b"text", b"<svg/>", &[0; 4096]]
    {
        let cause = loader().decode(text).unwrap_err();
        assert!(cause.to_string().starts_with("no photo: "), "{cause}");
    }
}

#[test]
fn a_jpeg_whose_restarts_are_missing_or_out_of_turn_is_a_failure() {
    let photo = bytes("restart.jpg");
    let restarts: Vec<usize> = (0..photo.len() - 1)
        .filter(|&at| photo[at] == 0xFF && (0xD0..=0xD7).contains(&photo[at + 1]))
        .collect();
    assert_eq!(restarts.len(), 2, "the photo has restarts");
    for &at in &restarts {
        let mut out_of_turn = photo.clone();
        out_of_turn[at + 1] = 0xD0 + (out_of_turn[at + 1] + 1) % 8;
        assert!(loader().decode(&out_of_turn).is_err(), "out of turn at {at}");
        let missing = [&photo[..at], &photo[at + 2..]].concat();
        assert!(loader().decode(&missing).is_err(), "missing at {at}");
        let twice = [&photo[..at], &photo[at..at + 2], &photo[at..]].concat();
        assert!(loader().decode(&twice).is_err(), "twice at {at}");
    }
}

#[test]
fn a_jpeg_that_puts_a_marker_into_a_scan_is_a_failure() {
    let photo = bytes("exif-1.jpg");
    let at = photo.len() - 40;
    for marker in [0xC0, 0xC4, 0xD0, 0xD3, 0xD8, 0xDA, 0xE1, 0xFE] {
        let mut damaged = photo.clone();
        damaged[at..at + 4].copy_from_slice(&[0xFF, marker, 0, 2]);
        assert!(loader().decode(&damaged).is_err(), "marker FF{marker:X}");
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        (gapless_photos::random::next(&mut self.0) % end as u64) as usize
    }
}
