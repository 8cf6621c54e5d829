//! Images that are tensors: the same numbers as their definitions say, and nothing lost or invented.

use gapless::doc::{Content, Doc, Tensor};
use gapless::image::{
    Filter, Format, Loader, Normalization, Sampling, Windows, denormalize, encode, move_channel, normalize,
    resample, resize, sliding_windows,
};
use ndarray::{Array3, Array4, s};

fn gradient(height: usize, width: usize) -> Array3<u8> {
    Array3::from_shape_fn((height, width, 3), |(y, x, c)| (7 * y + 3 * x + 50 * c) as u8)
}

#[test]
fn normalising_is_the_formula_and_back_is_the_same_image() {
    let image = Array3::from_shape_fn((16, 48, 3), |(y, x, c)| (16 * x + y + 5 * c) as u8);
    let usual = Normalization::default();
    let normalized = normalize(image.view(), -1, &usual).expect("three channels");
    for ((y, x, c), &byte) in image.indexed_iter() {
        let expected = ((f64::from(byte) / 255.0) as f32 - usual.mean[c]) / usual.std[c];
        assert_eq!(normalized[[y, x, c]], expected);
    }
    for axis in [0, 1, 2, -1, -2, -3] {
        let moved = move_channel(image.clone(), -1, axis).expect("an axis");
        let there = normalize(moved.view(), axis, &usual).expect("three channels");
        assert_eq!(there, move_channel(normalized.clone(), -1, axis).expect("an axis"));
        assert_eq!(denormalize(there.view(), axis, &usual).expect("three channels"), moved);
    }
}

#[test]
fn values_beyond_bytes_are_cut_and_not_wrapped() {
    let floats = Array3::from_shape_vec((1, 1, 3), vec![-1.0, 2.0, f32::NAN]).expect("three");
    let plain = Normalization::new([0.0; 3], [1.0; 3]);
    let bytes = denormalize(floats.view(), -1, &plain).expect("three channels");
    assert_eq!(bytes.as_slice(), Some(&[0, 255, 0][..]));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let image = gradient(4, 4);
    let usual = Normalization::default();
    assert!(normalize(image.view(), 0, &usual).is_err(), "four channels and three means");
    assert!(normalize(image.view(), 3, &usual).is_err());
    assert!(normalize(image.view(), -4, &usual).is_err());
    assert!(normalize(image.view(), -1, &Normalization::new([0.0; 3], [0.0; 3])).is_err());
    assert!(resize(image.view(), 0, 4, Sampling::Nearest).is_err());
    assert!(resize(image.view(), 4, 70_000, Sampling::Nearest).is_err());
    assert!(resample(image.view(), f64::NAN, Sampling::default()).is_err());
    assert!(resample(image.view(), 1e300, Sampling::default()).is_err());
    assert!(encode(Array3::zeros((4, 4, 2)).view(), Format::Png).is_err());
    assert!(encode(Array3::zeros((0, 4, 3)).view(), Format::Png).is_err());
    assert!(encode(Array3::zeros((70_000, 1, 3)).view(), Format::jpeg()).is_err());
    for windows in [Windows::new(0, 1), Windows::new(1, 1).strides(0, 1), Windows::new(5, 4)] {
        assert!(sliding_windows(image.view(), &windows).is_err(), "{windows:?}");
    }
    let many = Windows::new(4, 4).strides(1, 1).padding(true);
    assert!(sliding_windows(Array3::<u8>::zeros((9_000, 9_000, 1)).view(), &many).is_err());
}

#[test]
fn the_nearest_pixels_of_twice_the_size_are_each_pixel_twice() {
    let image = gradient(5, 6);
    for channels in 1..=3 {
        let image = image.slice(s![.., .., ..channels]);
        let twice = resize(image, 10, 12, Sampling::Nearest).expect("a size");
        let expected = Array3::from_shape_fn((10, 12, channels), |(y, x, c)| image[[y / 2, x / 2, c]]);
        assert_eq!(twice, expected);
        let back = resize(twice.view(), 5, 6, Sampling::Nearest).expect("a size");
        assert_eq!(back, image);
    }
}

#[test]
fn every_sampling_keeps_an_even_image_even_in_bytes_and_floats() {
    let filters = [Filter::Bilinear, Filter::Bicubic, Filter::Lanczos3];
    let samplings =
        filters.iter().flat_map(|filter| [Sampling::Antialiased(*filter), Sampling::Plain(*filter)]);
    for sampling in samplings.chain([Sampling::Nearest]) {
        for channels in 1..=6 {
            let bytes = Array3::from_elem((9, 7, channels), 77_u8);
            let small = resize(bytes.view(), 4, 3, sampling).expect("a size");
            assert_eq!(small, Array3::from_elem((4, 3, channels), 77));
            let floats = Array3::from_elem((9, 7, channels), -1.5_f32);
            let large = resize(floats.view(), 20, 30, sampling).expect("a size");
            assert!(large.iter().all(|value| (value + 1.5).abs() < 1e-5), "{sampling:?}");
        }
    }
}

#[test]
fn only_antialiasing_sees_every_pixel() {
    let mut image = Array3::<f32>::zeros((64, 64, 1));
    image[[29, 29, 0]] = 64.0 * 64.0;
    let sum = |sampling| resize(image.view(), 4, 4, sampling).expect("a size").sum();
    assert!((sum(Sampling::Antialiased(Filter::Bilinear)) - 16.0).abs() < 4.0);
    assert_eq!(sum(Sampling::Plain(Filter::Bilinear)), 0.0);
    assert_eq!(sum(Sampling::Nearest), 0.0);
}

/// Windows by their definition, pixel by pixel.
fn plain_windows(
    image: &Array3<u8>,
    (h, w): (usize, usize),
    strides: (usize, usize),
    padding: bool,
) -> Array4<u8> {
    let (height, width, channels) = image.dim();
    let starts = |side: usize, window: usize, stride: usize| {
        (0..side).step_by(stride).filter(|start| padding || start + window <= side).collect::<Vec<_>>()
    };
    let (tops, lefts) = (starts(height, h, strides.0), starts(width, w, strides.1));
    Array4::from_shape_fn((tops.len() * lefts.len(), h, w, channels), |(n, y, x, c)| {
        let (y, x) = (tops[n / lefts.len()] + y, lefts[n % lefts.len()] + x);
        image.get([y, x, c]).copied().unwrap_or(0)
    })
}

#[test]
fn windows_are_those_that_lie_in_the_image_or_begin_in_it() {
    for (height, width) in [(7, 9), (8, 8), (5, 3)] {
        let image = gradient(height, width);
        for (h, w, down, across) in [(1, 1, 1, 1), (3, 2, 2, 3), (2, 3, 5, 1), (4, 3, 4, 3)] {
            for padding in [false, true] {
                let windows = Windows::new(h, w).strides(down, across).padding(padding);
                let (cut, places) = sliding_windows(image.view(), &windows).expect("they fit");
                assert_eq!(cut, plain_windows(&image, (h, w), (down, across), padding), "{windows:?}");
                assert_eq!(places.len(), cut.dim().0);
                for (window, [top, left, ..]) in places.iter().enumerate() {
                    assert_eq!(cut[[window, 0, 0, 0]], image[[*top, *left, 0]]);
                }
            }
        }
    }
}

#[test]
fn chunks_of_windows_count_from_their_parents_place() {
    let mut doc = Doc::from_tensor(gradient(6, 8));
    doc.location = vec![10.0, 20.0, 6.0, 8.0];
    doc.window_chunks(&Windows::new(3, 4), -1).expect("they fit");
    let places: Vec<&[f32]> = doc.chunks.iter().map(|chunk| chunk.location.as_slice()).collect();
    assert_eq!(
        places,
        [[10.0, 20.0, 3.0, 4.0], [10.0, 24.0, 3.0, 4.0], [13.0, 20.0, 3.0, 4.0], [13.0, 24.0, 3.0, 4.0]]
    );
    assert!(doc.chunks.iter().all(|chunk| chunk.granularity == 1 && chunk.parent_id == doc.id));
    assert_eq!(doc.chunks[3].tensor(), Some(&gradient(6, 8).slice(s![3.., 4.., ..]).to_owned().into()));
    assert!(doc.tensor().is_some(), "the image stays");
}

#[test]
fn a_png_is_the_same_image_and_a_jpeg_nearly() {
    for image in [gradient(17, 31), gradient(1, 1)] {
        let png = encode(image.view(), Format::Png).expect("an image");
        assert_eq!(Loader::own_size().decode(&png).expect("a PNG"), image);
        let jpeg = encode(image.view(), Format::Jpeg(95)).expect("an image");
        let decoded = Loader::own_size().decode(&jpeg).expect("a JPEG");
        let worst = image.iter().zip(&decoded).map(|(a, b)| a.abs_diff(*b)).max();
        assert!(worst < Some(25), "{worst:?}");
    }
    let grey = Array3::from_elem((3, 5, 1), 90_u8);
    let decoded = Loader::own_size().decode(&encode(grey.view(), Format::Png).expect("grey")).expect("a PNG");
    assert_eq!(decoded, Array3::from_elem((3, 5, 3), 90));
}

#[test]
fn an_image_goes_through_uri_blob_and_file_and_is_the_same() {
    let image = gradient(9, 13);
    let mut doc = Doc::from_tensor(move_channel(image.clone(), -1, 0).expect("an axis"));
    doc.image_to_uri(Format::Png, 0).expect("an image").load_image().expect("a data URI");
    assert_eq!(doc.tensor(), Some(&Tensor::from(image.clone())));
    doc.encode_image(Format::Png, -1).expect("an image").decode_image().expect("a blob");
    assert_eq!(doc.tensor(), Some(&Tensor::from(image.clone())));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("image.png");
    doc.save_image(&path, -1).expect("a file");
    let mut read = Doc::from_uri(path.to_str().expect("text"));
    assert_eq!(read.load_image().expect("a PNG").tensor(), Some(&image.into()));
    assert!(doc.save_image(path.with_extension("bmp"), -1).is_err());
}

#[test]
fn what_fails_leaves_the_document_as_it_was() {
    let mut text = Doc::from_text("no image");
    let before = text.clone();
    assert!(text.normalize(&Normalization::default(), -1).is_err());
    assert!(text.move_channel(0, 1).is_err());
    assert!(text.decode_image().is_err());
    assert!(text.load_image().is_err());
    assert!(text.encode_image(Format::Png, -1).is_err());
    assert_eq!(text, before);
    let mut image = Doc::from_tensor(gradient(4, 4));
    let before = image.clone();
    assert!(image.denormalize(&Normalization::default(), -1).is_err());
    assert!(image.move_channel(-1, 5).is_err());
    assert!(image.resize(3, 3, Sampling::Nearest, 7).is_err());
    assert!(image.sliding_windows(&Windows::new(9, 9), -1).is_err());
    assert_eq!(image, before);
}

#[test]
fn addresses_without_a_client_and_empty_names_say_so() {
    let said = |uri: &str| Doc::from_uri(uri).load_image().expect_err("nothing to load").to_string();
    assert!(said("").contains("uri is empty"));
    assert!(said("photos/none.jpg").contains("photos/none.jpg"));
    #[cfg(not(feature = "http"))]
    assert!(said("https://example.org/a.jpg").contains("feature `http`"));
}

/// A GIF of 2×2 pixels; each frame is one pixel or the whole, in one colour of four.
fn gif(frames: &[(u16, u16, u16, u16, u8, gif::DisposalMethod)]) -> Vec<u8> {
    let palette = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255];
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, 2, 2, &palette).expect("a GIF");
    for &(left, top, width, height, color, dispose) in frames {
        let buffer = vec![color; usize::from(width * height)].into();
        let frame = gif::Frame {
            left,
            top,
            width,
            height,
            dispose,
            transparent: Some(0),
            buffer,
            ..gif::Frame::default()
        };
        encoder.write_frame(&frame).expect("a frame");
    }
    drop(encoder);
    bytes
}

#[test]
fn frames_of_a_gif_are_chunks_as_a_viewer_shows_them() {
    use gif::DisposalMethod::{Background, Keep, Previous};
    let bytes = gif(&[
        (0, 0, 2, 2, 1, Keep),
        (0, 0, 1, 1, 2, Previous),
        (1, 1, 1, 1, 3, Background),
        (0, 1, 1, 1, 0, Keep),
    ]);
    let mut doc = Doc::new();
    doc.set_blob(bytes).decode_image().expect("a GIF");
    assert_eq!(doc.content, Content::Empty);
    let (r, g, b, k) = ([255_u8, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0]);
    let expected = [[r, r, r, r], [g, r, r, r], [r, r, r, b], [r, r, r, k]];
    assert_eq!(doc.chunks.len(), expected.len());
    for (chunk, pixels) in doc.chunks.iter().zip(expected) {
        let frame = Array3::from_shape_vec((2, 2, 3), pixels.concat()).expect("four pixels");
        assert_eq!(chunk.tensor(), Some(&frame.into()));
    }
    let one = gif(&[(0, 0, 2, 2, 1, Keep)]);
    doc.set_blob(one).decode_image().expect("a GIF");
    assert_eq!(doc.tensor().map(Tensor::shape), Some(&[2, 2, 3][..]), "one frame is an image");
}

#[test]
fn frames_together_are_held_against_the_limit() {
    let frames = [(0, 0, 2, 2, 1, gif::DisposalMethod::Keep); 100];
    let bytes = gif(&frames);
    assert_eq!(Loader::own_size().frames(bytes.as_slice()).expect("they fit").len(), 100);
    let cause = Loader::own_size().max_decoded(600).frames(bytes.as_slice()).expect_err("too many");
    assert!(cause.to_string().contains("max_decoded"), "{cause}");
}
