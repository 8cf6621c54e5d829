//! The pixels are those that Pillow gives.

use gapless::CpuStage;
use gapless::image::{Filter, Loader, PhotoSource};
use ndarray::Array3;

use super::{bytes, fixture};

/// Width and height of most fixtures, as stored.
const SIDES: (u32, u32) = (24, 16);
/// The same, where the orientation exchanges them.
const TURNED: (u32, u32) = (16, 24);

/// The largest difference of one value between a tensor and the pixels that are expected.
fn difference(tensor: &Array3<u8>, expected: &[u8]) -> u8 {
    assert_eq!(tensor.len(), expected.len());
    tensor.iter().zip(expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
}

/// Decodes at its own size, so that nothing is resized, and compares with Pillow.
#[track_caller]
fn check(name: &str, (width, height): (u32, u32), tolerance: u8) {
    let tensor = Loader::rgb8(width, height).load(fixture(name)).unwrap();
    let difference = difference(&tensor, &bytes(&format!("{name}.rgb")));
    assert!(difference <= tolerance, "{name} is off by {difference}");
}

#[test]
fn every_exif_orientation_is_applied() {
    for value in 1..=8 {
        check(&format!("exif-{value}.jpg"), if value < 5 { SIDES } else { TURNED }, 2);
    }
    check("exif-6.png", TURNED, 0);
    check("exif-8.webp", TURNED, 0);
}

#[test]
fn every_kind_of_jpeg_is_decoded() {
    for name in ["grey", "rgb", "progressive", "restart", "cmyk", "ycck"] {
        check(&format!("{name}.jpg"), SIDES, 3);
    }
}

#[test]
fn jpegs_with_less_colour_are_exact() {
    check("optimised.jpg", SIDES, 0);
    check("odd-420.jpg", (37, 29), 0);
    check("odd-422-progressive.jpg", (37, 29), 0);
}

/// Every file there has a PNG of its pixels beside it, or is refused, which is another test.
#[test]
fn layouts_that_few_write_give_the_pixels_that_viewers_show() {
    let mut compared = 0;
    for entry in std::fs::read_dir(fixture("layouts")).unwrap() {
        let expected = entry.unwrap().path();
        let photo = expected.with_extension("");
        if expected.extension().is_none_or(|end| end != "png") {
            continue;
        }
        let [shown, expected] = [&photo, &expected].map(|path| Loader::own_size().load(path).unwrap());
        assert!(shown == expected, "{}", photo.display());
        assert!(Loader::own_size().frames(photo.as_path()).unwrap()[0] == expected, "{}", photo.display());
        compared += 1;
    }
    assert_eq!(compared, 17);
}

#[test]
fn a_jpeg_that_is_not_decoded_is_refused_by_the_name_of_its_kind() {
    let refused = |jpeg: &[u8]| Loader::own_size().decode(jpeg).unwrap_err().to_string();
    assert!(refused(&bytes("layouts/sof-12bit.jpg")).contains("12 bits a sample"));
    assert!(refused(&bytes("layouts/sof-arith.jpg")).contains("arithmetic coding"));
    let jpeg = bytes("odd-420.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    let with = |changes: &[(usize, u8)]| {
        let mut jpeg = jpeg.clone();
        changes.iter().for_each(|&(at, byte)| jpeg[frame + at] = byte);
        refused(&jpeg)
    };
    assert!(with(&[(1, 0xC3)]).contains("lossless"));
    assert!(with(&[(1, 0xC6)]).contains("hierarchical"));
    assert!(with(&[(9, 2)]).contains("2 components"));
    assert!(with(&[(11, 0x51)]).contains("sampling 5×1"));
    assert!(with(&[(11, 0x31), (14, 0x21)]).contains("sampled 2×1 where the finest is 3×1"));
    assert!(with(&[(5, 0), (6, 0)]).contains("DNL"));
}

#[test]
fn a_progressive_jpeg_without_its_last_scans_is_refused() {
    let jpeg = bytes("odd-422-progressive.jpg");
    let scans: Vec<usize> =
        jpeg.windows(2).enumerate().filter(|(_, pair)| *pair == [0xFF, 0xDA]).map(|(at, _)| at).collect();
    for scan in &scans[1..] {
        let tables = jpeg[..*scan].windows(2).rposition(|pair| pair == [0xFF, 0xC4]).unwrap();
        let cut = [&jpeg[..tables], &[0xFF, 0xD9]].concat();
        let cause = Loader::own_size().decode(&cut).unwrap_err().to_string();
        assert!(cause.contains("before all its scans"), "{cause}");
    }
}

#[test]
fn every_kind_of_png_is_exact() {
    let eight = ["rgb", "grey", "bits", "grey-alpha", "rgb-alpha", "palette", "palette-alpha", "interlaced"];
    for name in eight.into_iter().chain(["rgb-16", "grey-16", "rgb-alpha-16"]) {
        check(&format!("{name}.png"), SIDES, 0);
    }
}

#[test]
fn every_kind_of_webp_is_decoded() {
    for name in ["lossless", "lossless-alpha", "animated"] {
        check(&format!("{name}.webp"), SIDES, 0);
    }
    for name in ["lossy", "lossy-alpha"] {
        check(&format!("{name}.webp"), SIDES, 1);
    }
}

#[test]
fn the_first_frame_of_a_gif_is_exact() {
    for name in ["plain", "transparent", "animated", "interlaced"] {
        check(&format!("{name}.gif"), SIDES, 0);
    }
    check("offset.gif", (30, 20), 0);
}

#[test]
fn compressed_notes_in_a_png_do_not_matter() {
    check("profile-bomb.png", SIDES, 0);
    check("text-bomb.png", SIDES, 0);
}

/// Pillow resizes rows first, the loader columns: where a filter overshoots black or white, what is
/// cut off between the two differs, so a few values of the sharper filters are further off.
#[test]
fn resized_pixels_are_those_of_pillow() {
    let filters = [
        (Filter::Bilinear, "bilinear", 1),
        (Filter::Bicubic, "bicubic", 6),
        (Filter::Lanczos3, "lanczos3", 12),
    ];
    for (filter, name, tolerance) in filters {
        for (width, height) in [(64, 48), (224, 224), (31, 110)] {
            let tensor = Loader::rgb8(width, height).filter(filter).load(fixture("source.png")).unwrap();
            let expected = bytes(&format!("source.png.{name}-{width}x{height}.rgb"));
            let difference = difference(&tensor, &expected);
            assert!(difference <= tolerance, "{name} to {width}×{height} is off by {difference}");
            let far = tensor.iter().zip(&expected).filter(|(a, b)| a.abs_diff(**b) > 1).count();
            assert!(
                far * 100 <= tensor.len(),
                "{name} to {width}×{height}: {far} of {} differ",
                tensor.len()
            );
        }
    }
}

#[test]
fn the_middle_of_a_photo_is_what_the_model_was_trained_on() {
    let loader = Loader::rgb8(224, 224).center_crop(0.875).filter(Filter::Bicubic);
    let tensor = loader.load(concat!(env!("CARGO_MANIFEST_DIR"), "/photos/chelsea.jpg")).unwrap();
    let difference = difference(&tensor, &bytes("chelsea.jpg.bicubic-224x224.rgb"));
    assert!(difference <= 6, "off by {difference}");
}

#[test]
fn a_turned_photo_is_cropped_and_resized_as_an_upright_one() {
    let loader = Loader::rgb8(9, 7).center_crop(0.9).filter(Filter::Bicubic);
    let upright = loader.load(fixture("exif-1.jpg")).unwrap();
    for value in 2..=8 {
        // The files store the same pixels, so their upright tensors are turns of one another.
        let turned = loader_of(value).load(fixture(&format!("exif-{value}.jpg"))).unwrap();
        let expected = turned_like(value, &upright);
        let difference = difference(&turned, expected.as_standard_layout().as_slice().unwrap());
        assert!(difference <= 1, "orientation {value} is off by {difference}");
    }
}

fn loader_of(value: u8) -> Loader {
    let (width, height) = if value < 5 { (9, 7) } else { (7, 9) };
    Loader::rgb8(width, height).center_crop(0.9).filter(Filter::Bicubic)
}

/// What an orientation makes of a tensor, with the operations of ndarray.
fn turned_like(value: u8, tensor: &Array3<u8>) -> Array3<u8> {
    let mut turned = tensor.clone();
    if matches!(value, 2 | 3 | 7 | 8) {
        turned.invert_axis(ndarray::Axis(1));
    }
    if matches!(value, 3 | 4 | 6 | 7) {
        turned.invert_axis(ndarray::Axis(0));
    }
    if value >= 5 {
        turned.swap_axes(0, 1);
    }
    turned.as_standard_layout().into_owned()
}

#[test]
fn paths_text_and_bytes_are_the_same_photo() {
    let loader = Loader::rgb8(24, 16);
    let path = fixture("rgb.png");
    let expected = loader.load(&path).unwrap();
    assert_eq!(loader.prepare(&mut path.to_str().unwrap().to_owned()).unwrap(), expected);
    assert_eq!(loader.prepare(&mut path.clone()).unwrap(), expected);
    assert_eq!(loader.prepare(&mut bytes("rgb.png")).unwrap(), expected);
}

#[test]
fn a_document_without_a_photo_is_a_failure() {
    struct Nothing;
    impl gapless::image::Photo for Nothing {
        fn source(&self) -> PhotoSource<'_> {
            PhotoSource::Missing
        }
    }
    let cause = Loader::rgb8(8, 8).prepare(&mut Nothing).unwrap_err();
    assert_eq!(cause.to_string(), "the document names no photo");
}

#[test]
fn the_extension_says_nothing() {
    let dir = std::env::temp_dir().join(format!("gapless-extension-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("photo.jpg");
    std::fs::write(&path, bytes("rgb.png")).unwrap();
    let tensor = Loader::rgb8(24, 16).load(&path).unwrap();
    assert_eq!(tensor.as_slice().unwrap(), bytes("rgb.png.rgb"));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn settings_that_cannot_work_are_failures() {
    let photo = bytes("rgb.png");
    for loader in [Loader::rgb8(0, 8), Loader::rgb8(8, 0)] {
        assert!(loader.decode(&photo).unwrap_err().to_string().starts_with("rgb8: "));
    }
    for share in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let cause = Loader::rgb8(8, 8).center_crop(share).decode(&photo).unwrap_err();
        assert!(cause.to_string().starts_with("center_crop: "), "{cause}");
    }
}
