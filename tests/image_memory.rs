//! Memory that photos take: bombs take none, and tensors are not allocated a photo.
//!
//! All of it is one test, because the allocator that counts is the whole process's.
#![cfg(feature = "image")]
#![expect(unsafe_code, reason = "a counting allocator is an unsafe trait; every call goes to the system's")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use gapless::CpuStage;
use gapless::image::Loader;

struct Counting;

thread_local! {
    /// Whether this is the thread that decodes.
    static DECODES: Cell<bool> = const { Cell::new(false) };
}

static WATCHED: AtomicBool = AtomicBool::new(false);
/// Allocations of other threads while one decodes.
static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);
/// Allocations as large as a tensor of 224×224×3.
static LARGE: AtomicUsize = AtomicUsize::new(0);

const TENSOR: usize = 224 * 224 * 3;

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        LARGE.fetch_add(usize::from(layout.size() >= TENSOR), Relaxed);
        if WATCHED.load(Relaxed) && !DECODES.try_with(Cell::get).unwrap_or(false) {
            ELSEWHERE.fetch_add(1, Relaxed);
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Bytes that `work` held at most, beyond what was held before.
fn peak(work: impl FnOnce()) -> usize {
    let before = HELD.load(Relaxed);
    PEAK.store(before, Relaxed);
    work();
    PEAK.load(Relaxed) - before
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image").join(name)).unwrap()
}

#[test]
fn photos_take_the_memory_that_they_may() {
    bombs_are_refused_before_memory_is_taken();
    passes_over_many_samples_are_refused();
    inflating_notes_are_not_inflated();
    no_tensor_is_allocated_a_photo();
    memory_that_is_kept_is_bounded();
    decoding_stays_in_its_thread();
}

/// A thread that is started for a part of a photo takes memory for it.
fn decoding_stays_in_its_thread() {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/image")).unwrap();
    let fixtures = files.map(|entry| entry.unwrap().path());
    let photos: Vec<_> =
        ["coffee", "retina", "rocket"].iter().map(|name| format!("photos/{name}.jpg").into()).collect();
    let ends = ["jpg", "png", "gif", "webp"];
    let all = fixtures
        .chain(photos)
        .filter(|path| ends.iter().any(|end| path.extension().is_some_and(|is| is == *end)));
    let all: Vec<Vec<u8>> = all.map(|path| fs::read(path).unwrap()).collect();
    let loader = Loader::rgb8(224, 224);
    DECODES.set(true);
    WATCHED.store(true, Relaxed);
    let decoded = all.iter().filter(|photo| loader.decode(photo).is_ok()).count();
    WATCHED.store(false, Relaxed);
    assert!(decoded > 40, "{decoded} photos");
    assert_eq!(ELSEWHERE.load(Relaxed), 0, "another thread took memory");
}

fn bombs_are_refused_before_memory_is_taken() {
    let table = [
        ("JPEG of 65,535²", jpeg(0xC0, 65_535, 65_535), "limit of 8192 a side"),
        ("JPEG of 8,192²", jpeg(0xC0, 8_192, 8_192), "`max_decoded`"),
        ("progressive JPEG of 4,000²", jpeg(0xC2, 4_000, 4_000), "`max_decoded`"),
        ("JPEG of a thousand scans", scans(&fixture("progressive.jpg"), 1_000), "more than 100 scans"),
        ("sequential JPEG of many scans", scans(&fixture("exif-1.jpg"), 1_000), "where none may stand"),
        ("GIF of 65,535²", gif(65_535, 65_535), "limit of 8192 a side"),
        ("GIF of 8,192²", gif(8_192, 8_192), "`max_decoded`"),
        ("PNG of 2^31 - 1", png(0x7FFF_FFFF, 0x7FFF_FFFF), "limit of 8192 a side"),
        ("PNG of 8,192²", png(8_192, 8_192), "`max_decoded`"),
        ("WebP of 16,383²", webp(&lossy(16_383, 16_383)), "limit of 8192 a side"),
        ("WebP of 8,000²", webp(&lossy(8_000, 8_000)), "`max_decoded`"),
        ("WebP of 16,383² on a canvas of 1", webp(&extended(&lossy(16_383, 16_383))), "in a canvas of 1×1"),
        (
            "WebP of frames in frames",
            webp(&extended(&[nested(15_000), lossy(1, 1)].concat())),
            "frame inside a frame",
        ),
    ];
    let loader = Loader::rgb8(8, 8);
    for (name, bomb, expected) in table {
        let mut cause = String::new();
        let bytes = peak(|| cause = refusal(&loader, &bomb));
        assert!(cause.contains(expected), "{name}: {cause}");
        assert!(bytes < 1 << 20, "{name} took {bytes} bytes");
    }
}

/// More scans than 20 are refused where all of them together go over too many samples, and no sooner.
fn passes_over_many_samples_are_refused() {
    let table = [
        (4_000, 20, "`max_decoded`"),
        (4_000, 21, "more than 20 scans of so many samples"),
        (600, 37, "a scan of coefficients 0 to 63"),
        (600, 38, "more than 37 scans of so many samples"),
        (160, 100, "a scan of coefficients 0 to 63"),
        (160, 101, "more than 100 scans"),
    ];
    for (height, count, expected) in table {
        let cause = refusal(&Loader::rgb8(8, 8), &scans(&jpeg(0xC2, 8_000, height), count));
        assert!(cause.contains(expected), "8,000×{height} in {count} scans: {cause}");
    }
}

/// Why the loader refuses the photo, on a thread with a small stack: a photo decides on no depth.
fn refusal(loader: &Loader, photo: &[u8]) -> String {
    std::thread::scope(|scope| {
        let decode = || loader.decode(photo).unwrap_err().to_string();
        let thread = std::thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, decode);
        thread.unwrap().join().unwrap()
    })
}

fn inflating_notes_are_not_inflated() {
    let loader = Loader::rgb8(24, 16);
    for name in ["profile-bomb.png", "text-bomb.png"] {
        let photo = fixture(name);
        let bytes = peak(|| assert!(loader.decode(&photo).is_ok()));
        assert!(bytes < 1 << 20, "{name} took {bytes} bytes");
    }
}

fn no_tensor_is_allocated_a_photo() {
    let loader = Loader::rgb8(224, 224).center_crop(0.875);
    let mut photos = ["coffee", "chelsea", "rocket"].map(|name| format!("photos/{name}.jpg"));
    let mut round = || {
        let tensors: Vec<_> = photos.iter_mut().map(|photo| loader.prepare(photo).unwrap()).collect();
        tensors.into_iter().for_each(|tensor| CpuStage::<String>::recycle(&loader, tensor));
    };
    round();
    let before = LARGE.load(Relaxed);
    (0..20).for_each(|_| round());
    assert_eq!(LARGE.load(Relaxed) - before, 0, "as large as a tensor, or a whole photo");
}

fn memory_that_is_kept_is_bounded() {
    let before = HELD.load(Relaxed);
    let most = 16 << 20;
    let loader = Loader::rgb8(224, 224).kept_tensors(2).max_decoded(most);
    for name in ["coffee", "retina", "rocket"] {
        let tensors: Vec<_> = (0..8).map(|_| loader.load(format!("photos/{name}.jpg")).unwrap()).collect();
        tensors.into_iter().for_each(|tensor| CpuStage::<String>::recycle(&loader, tensor));
    }
    let kept = HELD.load(Relaxed) - before;
    assert!(kept < 2 * TENSOR + most + 4096, "{kept} bytes are kept");
    drop(loader);
    assert!(HELD.load(Relaxed) <= before + 4096, "a loader gives everything back");
}

/// A JPEG that has a header of this size and an empty scan.
fn jpeg(frame: u8, width: u16, height: u16) -> Vec<u8> {
    let mut jpeg = vec![0xFF, 0xD8, 0xFF, frame, 0, 17, 8];
    jpeg.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    jpeg.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    jpeg.extend([0xFF, 0xDA, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 0xFF, 0xD9]);
    jpeg
}

/// A photo whose last scan stands there many times.
fn scans(photo: &[u8], count: usize) -> Vec<u8> {
    let last = photo.windows(2).rposition(|marker| marker == [0xFF, 0xDA]).unwrap();
    let (head, tail) = photo.split_at(last);
    let (scan, end) = tail.split_at(tail.len() - 2);
    [head, &scan.repeat(count), end].concat()
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let sides = [width.to_le_bytes(), height.to_le_bytes()].concat();
    let frame = [&[b',', 0, 0, 0, 0], &sides[..], &[0, 2, 2, 0x4C, 1, 0, b';']].concat();
    [&b"GIF89a"[..], &sides, &[0x80, 0, 0, 0, 0, 0, 255, 255, 255], &frame].concat()
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [&b"IHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let sum = crc(&header).to_be_bytes();
    [&b"\x89PNG\r\n\x1a\n\0\0\0\x0D"[..], &header, &sum, b"\0\0\0\0IDAT\x35\xaf\x06\x1e"].concat()
}

/// The checksum of PNG: ISO 3309, as annex D of the PNG specification gives it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8)
            .fold(crc ^ u32::from(byte), |crc: u32, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn webp(chunks: &[u8]) -> Vec<u8> {
    [&b"RIFF"[..], &(chunks.len() as u32 + 4).to_le_bytes(), b"WEBP", chunks].concat()
}

fn lossy(width: u16, height: u16) -> Vec<u8> {
    let stream =
        [&[0x10, 0x40, 0, 0x9D, 1, 0x2A][..], &width.to_le_bytes(), &height.to_le_bytes(), &[0; 600]]
            .concat();
    [&b"VP8 "[..], &(stream.len() as u32).to_le_bytes(), &stream].concat()
}

/// An animation whose first frame holds a frame that holds a frame, and so on.
fn nested(depth: usize) -> Vec<u8> {
    let level = |inside: usize| {
        let length = (24 * inside + 16) as u32;
        [&b"ANMF"[..], &length.to_le_bytes(), &[0; 16]].concat()
    };
    let frames = (0..depth).rev().flat_map(level);
    b"ANIM\x06\0\0\0\0\0\0\0\0\0".iter().copied().chain(frames).collect()
}

/// A canvas of one pixel with this bitstream in it.
fn extended(stream: &[u8]) -> Vec<u8> {
    [&b"VP8X\x0A\0\0\0\0\0\0\0\0\0\0\0\0\0"[..], stream].concat()
}
