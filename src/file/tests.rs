//! What stands at a path, tried with each kind of thing; each call in a thread, so that one that waits fails its test.

use std::fs::{self, File, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::{NewFile, open, read, write};
use crate::error::Cause;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("gapless-files-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder");
        Self(path)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).expect("a folder").map(|entry| entry.expect("a name").file_name());
        let mut names: Vec<_> = names.map(|name| name.into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn fifo(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
}

fn at_once<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = channel();
    thread::spawn(move || sender.send(call()));
    receiver.recv_timeout(Duration::from_secs(30)).expect("it waits for ever")
}

/// What the error says behind the path.
#[track_caller]
fn refused<T>(path: &Path, result: Result<T, Cause>) -> String {
    let cause = result.err().expect("it is refused").to_string();
    let rest = cause.strip_prefix(&format!("{}: ", path.display()));
    rest.unwrap_or_else(|| panic!("{cause:?} does not name the path")).to_owned()
}

#[test]
fn only_regular_files_are_read_and_nothing_is_waited_for() {
    let folder = Folder::new("kinds");
    fifo(&folder.at("fifo"));
    let _socket = UnixListener::bind(folder.at("socket")).expect("a socket");
    symlink("fifo", folder.at("link")).expect("a link");
    let cases = [
        (folder.0.clone(), "is a directory, not a file"),
        (folder.at("fifo"), "is a FIFO, not a file"),
        (folder.at("link"), "is a FIFO, not a file"),
        (folder.at("socket"), "is a socket, not a file"),
        ("/dev/zero".into(), "is a device, not a file"),
        (folder.at("missing"), "No such file or directory (os error 2)"),
    ];
    for (path, words) in cases {
        let call = path.clone();
        assert_eq!(refused(&path, at_once(move || open(call))), words);
        let call = path.clone();
        assert_eq!(refused(&path, at_once(move || read(call, 0))), words);
    }
}

#[test]
fn a_file_is_read_up_to_a_limit() {
    let folder = Folder::new("limit");
    let path = folder.at("four");
    write(&path, "four").expect("a file");
    for most in [0, 4, 5, u64::MAX] {
        assert_eq!(read(&path, most).expect("a file"), b"four");
    }
    assert_eq!(refused(&path, read(&path, 3)), "4 bytes are more than the limit of 3 a file");
    // Files of the system say that they have no bytes.
    assert!(!read("/proc/self/status", 0).expect("a file").is_empty());
    assert!(read("/proc/self/status", 10).is_err());
}

#[test]
fn a_file_is_there_as_a_whole_or_not_at_all() {
    let folder = Folder::new("whole");
    let path = folder.at("file");
    fs::write(&path, "before").expect("a file");
    let mut file = NewFile::create(&path).expect("a file");
    file.write_all(b"after").expect("bytes");
    assert_eq!(fs::read(&path).expect("a file"), b"before");
    drop(file);
    assert_eq!(
        (fs::read(&path).expect("a file"), folder.names()),
        (b"before".to_vec(), vec!["file".to_owned()])
    );
    let mut file = NewFile::create(&path).expect("a file");
    file.write_all(b"after").expect("bytes");
    file.finish().expect("a file");
    assert_eq!(
        (fs::read(&path).expect("a file"), folder.names()),
        (b"after".to_vec(), vec!["file".to_owned()])
    );
}

#[test]
fn a_file_keeps_its_mode_and_a_new_one_has_the_usual_one() {
    let folder = Folder::new("mode");
    fs::write(folder.at("usual"), "").expect("a file");
    write(folder.at("new"), "").expect("a file");
    let mode = |name: &str| fs::metadata(folder.at(name)).expect("a file").mode();
    assert_eq!(mode("new"), mode("usual"));
    for kept in [0o600, 0o640, 0o755, 0o666] {
        fs::set_permissions(folder.at("new"), Permissions::from_mode(kept)).expect("a mode");
        write(folder.at("new"), "again").expect("a file");
        assert_eq!(mode("new") & 0o7777, kept);
    }
}

#[test]
fn a_link_is_followed_also_where_it_leads_to_nothing_yet() {
    let folder = Folder::new("links");
    fs::create_dir(folder.at("inside")).expect("a folder");
    symlink("inside/file", folder.at("link")).expect("a link");
    symlink(folder.at("link"), folder.at("again")).expect("a link");
    for text in ["first", "second"] {
        write(folder.at("again"), text).expect("a file");
        assert_eq!(fs::read_to_string(folder.at("inside/file")).expect("a file"), text);
    }
    assert!(["again", "link"].iter().all(|name| folder.at(name).is_symlink()));
    symlink("circle", folder.at("circle")).expect("a link");
    assert!(refused(&folder.at("circle"), write(folder.at("circle"), "")).contains("symbolic links"));
}

#[test]
fn what_is_no_file_is_written_in_place_or_refused_and_never_replaced() {
    let folder = Folder::new("in-place");
    let (pipe, socket) = (folder.at("fifo"), folder.at("socket"));
    fifo(&pipe);
    let _socket = UnixListener::bind(&socket).expect("a socket");
    let call = pipe.clone();
    assert_eq!(refused(&pipe, at_once(move || write(call, ""))), "is a FIFO that nobody reads");
    assert_eq!(refused(&socket, write(&socket, "")), "is a socket, not a file");
    assert_eq!(refused(&folder.0, write(&folder.0, "")), "is a directory, not a file");
    write("/dev/null", "nothing").expect("a device that takes all");
    assert!(refused(Path::new("/dev/full"), write("/dev/full", "more")).contains("os error 28"));
    // More than a pipe holds: the writer waits for its reader.
    let bytes = vec![7; 1 << 20];
    let (call, sent) = (pipe.clone(), bytes.clone());
    // Opened for both, so that neither end is waited for.
    let mut reader = File::options().read(true).write(true).open(&pipe).expect("a FIFO");
    let writer = thread::spawn(move || write(call, sent));
    let mut read = vec![0; bytes.len()];
    reader.read_exact(&mut read).expect("bytes");
    writer.join().expect("no panic").expect("a FIFO that is read");
    assert_eq!(read, bytes);
    assert_eq!(folder.names(), ["fifo", "socket"]);
}

#[test]
fn an_open_file_of_this_program_is_written_in_place() {
    use std::os::fd::AsRawFd;
    let folder = Folder::new("open");
    let mut file = File::create(folder.at("file")).expect("a file");
    file.write_all(b"first, ").expect("bytes");
    write(format!("/proc/self/fd/{}", file.as_raw_fd()), "second").expect("a file that is open");
    assert_eq!(fs::read(folder.at("file")).expect("a file"), b"first, second");
    assert_eq!(
        file.metadata().expect("a file").ino(),
        fs::metadata(folder.at("file")).expect("a file").ino()
    );
}

#[test]
fn all_names_of_a_file_show_what_was_written_under_one() {
    let folder = Folder::new("names");
    fs::write(folder.at("one"), "before, and longer").expect("a file");
    fs::hard_link(folder.at("one"), folder.at("other")).expect("a name");
    let mut file = NewFile::create(folder.at("one")).expect("a file");
    file.write_all(b"after").expect("bytes");
    assert_eq!(fs::read(folder.at("other")).expect("a file"), b"before, and longer");
    file.finish().expect("a file");
    assert_eq!(fs::read(folder.at("other")).expect("a file"), b"after");
    drop(NewFile::create(folder.at("other")).expect("a file"));
    assert_eq!(fs::read(folder.at("one")).expect("a file"), b"after", "what is not finished changes nothing");
    assert_eq!(folder.names(), ["one", "other"]);
}

/// Runs a program, and says whether it could do what it was asked to.
fn could(program: &str, arguments: &[&std::ffi::OsStr]) -> bool {
    std::process::Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_file_that_is_mounted_by_itself_is_written_in_place() {
    let folder = Folder::new("mounted");
    let (outside, inside) = (folder.at("outside"), folder.at("inside"));
    fs::write(&outside, "before, and longer").expect("a file");
    fs::write(&inside, "").expect("a file");
    if !could("mount", &["--bind".as_ref(), outside.as_ref(), inside.as_ref()]) {
        return eprintln!("left out: this user may not mount a file");
    }
    let written = write(&inside, "after");
    assert!(could("umount", &[inside.as_ref()]));
    written.expect("a file");
    assert_eq!(fs::read(&outside).expect("a file"), b"after");
    assert_eq!(folder.names(), ["inside", "outside"]);
}

#[test]
fn a_file_is_written_in_place_where_its_folder_may_not_be() {
    let folder = Folder::new("closed");
    let closed = folder.at("closed");
    let path = closed.join("file");
    fs::create_dir(&closed).expect("a folder");
    fs::write(&path, "before, and longer").expect("a file");
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).expect("a mode");
    let takes_files = || File::create(closed.join("another")).is_ok();
    // Whom no mode stops is stopped by a mark, where the file system has it.
    let marked = takes_files() && could("chattr", &["+i".as_ref(), closed.as_ref()]);
    let is_closed = !closed.join("another").exists() || File::create(closed.join("third")).is_err();
    let written = is_closed.then(|| (write(&path, "after"), write(closed.join("new"), "")));
    let open_again = !marked || could("chattr", &["-i".as_ref(), closed.as_ref()]);
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).expect("a mode");
    assert!(open_again, "the folder cannot be removed");
    let Some((written, new)) = written else {
        return eprintln!("left out: this user may write every folder");
    };
    written.expect("a file");
    assert_eq!(fs::read(&path).expect("a file"), b"after");
    refused(&closed.join("new"), new);
}

#[test]
fn what_may_not_be_written_is_named_and_stays() {
    let folder = Folder::new("denied");
    let path = folder.at("file");
    fs::write(&path, "before").expect("a file");
    fs::set_permissions(&path, Permissions::from_mode(0o444)).expect("a mode");
    for path in [folder.at("missing/file"), folder.at("file/inside")] {
        let call = path.clone();
        refused(&path, write(call, ""));
    }
    if File::options().append(true).open(&path).is_ok() {
        println!("this user may write everything: left out");
        return;
    }
    assert!(refused(&path, write(&path, "after")).contains("os error 13"));
    assert_eq!(fs::read(&path).expect("a file"), b"before");
}
