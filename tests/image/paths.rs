//! What is no readable file fails at once and says so.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use gapless::image::Loader;

use super::bytes;

/// Loads in a thread of its own, so that a call that hangs fails this test instead of stopping it.
#[track_caller]
fn cause(path: &Path) -> String {
    let (sender, receiver) = mpsc::channel();
    let load = path.to_owned();
    thread::spawn(move || sender.send(Loader::rgb8(8, 8).load(load)));
    let result = receiver.recv_timeout(Duration::from_secs(30)).expect("loading hangs");
    let cause = result.expect_err("a tensor of what is no photo").to_string();
    let prefix = format!("{}: ", path.display());
    cause.strip_prefix(&prefix).unwrap_or_else(|| panic!("{cause:?} does not name the path")).to_owned()
}

/// A directory of this test alone, removed with everything in it.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gapless-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_missing_file_is_named() {
    let dir = Dir::new("missing");
    assert!(cause(&dir.0.join("none.jpg")).contains("os error 2"));
}

#[test]
fn an_empty_file_is_no_photo() {
    let dir = Dir::new("empty");
    let path = dir.0.join("empty.jpg");
    fs::write(&path, b"").unwrap();
    assert_eq!(cause(&path), "no photo: there are no bytes");
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let dir = Dir::new("large");
    let path = dir.0.join("large.jpg");
    // A sparse file: it has a length and takes no space.
    fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
    assert!(cause(&path).contains("more than the limit of 67108864 a file"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_larger_than_memory_is_a_failure_also_without_a_limit() {
    if fs::read_to_string("/proc/sys/vm/overcommit_memory").is_ok_and(|mode| mode.trim() == "1") {
        println!("this system promises any amount of memory: left out");
        return;
    }
    let dir = Dir::new("sparse");
    let path = dir.0.join("sparse.jpg");
    let file = fs::File::create(&path).unwrap();
    assert!(
        [1 << 50, 1 << 43, 1 << 40].iter().any(|&length| file.set_len(length).is_ok()),
        "no sparse files"
    );
    let cause = Loader::rgb8(8, 8).max_file(0).load(&path).unwrap_err().to_string();
    assert!(cause.contains("memory allocation failed"), "{cause}");
}

#[test]
fn a_tensor_larger_than_memory_is_a_failure() {
    for (width, height) in [(u32::MAX, u32::MAX), (1, 65_536), (65_536, 1)] {
        let cause = Loader::rgb8(width, height).decode(&bytes("exif-1.jpg")).unwrap_err().to_string();
        assert!(cause.contains(&format!("rgb8: {width}×{height} pixels")), "{cause}");
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let dir = Dir::new("kinds");
    assert_eq!(cause(&dir.0), "is a directory, not a file");
    let fifo = dir.0.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(cause(&fifo), "is a FIFO, not a file");
    assert_eq!(cause(Path::new("/dev/zero")), "is a device, not a file");
}

#[cfg(unix)]
#[test]
fn a_loop_of_links_is_named() {
    let dir = Dir::new("loop");
    let (a, b) = (dir.0.join("a"), dir.0.join("b"));
    std::os::unix::fs::symlink(&a, &b).unwrap();
    std::os::unix::fs::symlink(&b, &a).unwrap();
    assert!(cause(&a).contains("symbolic links"), "{}", cause(&a));
}

#[cfg(unix)]
#[test]
fn a_link_to_a_photo_is_the_photo() {
    let dir = Dir::new("link");
    let link = dir.0.join("link");
    std::os::unix::fs::symlink(super::fixture("rgb.png"), &link).unwrap();
    let tensor = Loader::rgb8(24, 16).load(&link).unwrap();
    assert_eq!(tensor.as_slice().unwrap(), bytes("rgb.png.rgb"));
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = Dir::new("permission");
    let path = dir.0.join("secret.jpg");
    fs::write(&path, bytes("exif-1.jpg")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read(&path).is_ok() {
        println!("this user may read everything: left out");
        return;
    }
    assert!(cause(&path).contains("os error 13"));
}

#[cfg(target_os = "linux")]
#[test]
fn no_descriptor_stays_open() {
    let dir = Dir::new("descriptors");
    let held = || {
        let descriptors = fs::read_dir("/proc/self/fd").unwrap();
        let targets = descriptors.filter_map(|entry| fs::read_link(entry.unwrap().path()).ok());
        targets.filter(|target| target.starts_with(&dir.0)).count()
    };
    let good = dir.0.join("good.jpg");
    let bad = dir.0.join("bad.jpg");
    fs::write(&good, bytes("exif-1.jpg")).unwrap();
    fs::write(&bad, &bytes("exif-1.jpg")[..500]).unwrap();
    let loader = Loader::rgb8(8, 8);
    for _ in 0..100 {
        loader.load(&good).unwrap();
        loader.load(&bad).unwrap_err();
    }
    assert_eq!(held(), 0);
}
