//! The one writer of files.

#[cfg(not(unix))]
#[path = "write/elsewhere.rs"]
mod system;
#[cfg(unix)]
#[path = "write/unix.rs"]
mod system;

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use self::system::{
    has_other_names, keep_owner_and_mode, only_for_the_owner, refusal, takes_bytes, wait_for_reader,
};
use super::kind::{options, refused};
use super::name;
use crate::error::Cause;

/// Links in a row that are followed, as many as the system follows.
const LINKS: usize = 40;

/// A file that is being written: it is there as a whole once it is [finished](Self::finish), and what stood at its path
/// stays there until then.
///
/// It is written beside its path, and goes to the disk before it takes its name. One that is dropped before leaves
/// nothing. A link is followed; a file that was there gives the new one its mode and, where that is allowed, its owner.
/// What is no regular file is written in place, where that makes sense: a FIFO that somebody reads, a terminal,
/// `/dev/stdout`, `/dev/null`. Directories, sockets and disks are refused.
///
/// Where the path cannot be given to another file, what was written is copied into the file that is there, once all of
/// it is on a disk: a file with several names (hard links), which all show the new content then, one that is mounted by
/// itself, as in a container, and one that may be written in a folder that may not. Only a crash in the middle of that
/// copy leaves a part.
///
/// ```
/// use gapless::file::NewFile;
/// use std::io::Write;
/// let path = std::env::temp_dir().join(format!("gapless-new-{}.txt", std::process::id()));
/// let mut file = NewFile::create(&path)?;
/// writeln!(file, "hello")?;
/// assert!(!path.exists());
/// file.finish()?;
/// assert_eq!(std::fs::read(&path)?, b"hello\n");
/// # std::fs::remove_file(path)?;
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Debug)]
#[must_use = "the file is not there before `finish`"]
pub struct NewFile {
    out: BufWriter<File>,
    /// As it was given.
    path: PathBuf,
    beside: Option<Beside>,
}

/// Where a file is written before it has its name.
#[derive(Debug)]
struct Beside {
    part: PathBuf,
    target: PathBuf,
    before: Option<Before>,
    /// Whether the part is all that there is of what was written.
    needed: bool,
}

/// The file that is there already.
#[derive(Debug)]
struct Before {
    file: File,
    metadata: Metadata,
    /// Whether its folder takes no new file, so that the part stands in another.
    fixed: bool,
}

impl Before {
    /// Whether a new file may take its place.
    fn can_be_replaced(&self) -> bool {
        !self.fixed && self.file.metadata().is_ok_and(|now| !has_other_names(&now))
    }

    /// Gives it the content of the part.
    fn take(&mut self, part: &Path) -> io::Result<()> {
        let mut from = File::open(part)?;
        self.file.set_len(0)?;
        io::copy(&mut from, &mut self.file)?;
        self.file.sync_all()
    }
}

/// Writes a file as a whole or not at all: see [`NewFile`].
///
/// # Errors
/// Names the path and why it cannot be written.
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<(), Cause> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes.as_ref())?;
    file.finish()
}

impl NewFile {
    /// Begins a file.
    ///
    /// # Errors
    /// Names the path and why: what stands there may not be written, or is no file, or its folder cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, Cause> {
        let path = path.as_ref();
        let (file, beside) = begin(path).map_err(|cause| cause.context(name(path)))?;
        Ok(Self { out: BufWriter::new(file), path: path.into(), beside })
    }

    /// Ends the file: it is on the disk and has its name afterwards.
    ///
    /// # Errors
    /// Names the path and why: the last bytes cannot be written, or the file cannot take its name.
    pub fn finish(mut self) -> Result<(), Cause> {
        self.flush()?;
        self.settle().map_err(|error| self.named(&error).into())
    }

    fn settle(&mut self) -> io::Result<()> {
        let file = self.out.get_ref();
        let Some(beside) = &mut self.beside else {
            // A FIFO or a terminal has no disk to go to.
            let _ = file.sync_all();
            return Ok(());
        };
        file.sync_all()?;
        beside.place(file)?;
        let folder = beside.target.parent().map(Path::to_owned);
        self.beside = None;
        // Not every file system lets a folder be synced, and the file is there.
        let _ = folder.map_or(Ok(()), |folder| File::open(or_here(&folder))?.sync_all());
        Ok(())
    }

    fn named(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", name(&self.path)))
    }
}

impl Beside {
    /// Gives what was written into this part its name, or its content to the file of that name.
    fn place(&mut self, written: &File) -> io::Result<()> {
        let Some(before) = &mut self.before else { return std::fs::rename(&self.part, &self.target) };
        if before.can_be_replaced() {
            keep_owner_and_mode(written, &before.metadata)?;
            // The mode is on the disk before the name is.
            written.sync_all()?;
            match std::fs::rename(&self.part, &self.target) {
                Err(error) if is_fixed(&error) => {}
                done => return done,
            }
        }
        before.take(&self.part).map_err(|error| {
            self.needed = true;
            io::Error::new(error.kind(), format!("{error}; what was written stands in {}", name(&self.part)))
        })?;
        // It has served, and whoever may not remove it has written all the same.
        let _ = std::fs::remove_file(&self.part);
        Ok(())
    }
}

/// Whether this says that a name cannot be given to another file: it is mounted by itself, or its folder is closed.
fn is_fixed(error: &io::Error) -> bool {
    use ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    [CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy].contains(&error.kind())
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes).map_err(|error| self.named(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush().map_err(|error| self.named(&error))
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(beside) = self.beside.as_ref().filter(|beside| !beside.needed) {
            // What is not finished is not wanted; the first error is the one to tell.
            let _ = std::fs::remove_file(&beside.part);
        }
    }
}

fn begin(path: &Path) -> Result<(File, Option<Beside>), Cause> {
    let before = match std::fs::metadata(path) {
        Ok(before) => before,
        Err(error) if error.kind() == ErrorKind::NotFound => return beside(followed(path)?.0, None),
        Err(error) => Err(error)?,
    };
    if !before.is_file() && !takes_bytes(&before) {
        return Err(refused(before.file_type()));
    }
    let file = options().append(true).open(path).map_err(|error| refusal(&before, error))?;
    // What was opened may be another than what was looked at.
    let metadata = file.metadata()?;
    let (target, open_already) = followed(path)?;
    if metadata.is_file() && !open_already {
        return beside(target, Some(Before { file, metadata, fixed: false }));
    }
    if !metadata.is_file() && !takes_bytes(&metadata) {
        return Err(refused(metadata.file_type()));
    }
    wait_for_reader(&file)?;
    Ok((file, None))
}

/// A new file in the folder of its target, with a name that no other has; where that folder takes none and the target
/// is there already, in the folder for temporary files.
fn beside(target: PathBuf, mut before: Option<Before>) -> Result<(File, Option<Beside>), Cause> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    if target.file_name().is_none() {
        return Err(Cause::msg("it names no file"));
    }
    let mut folder = or_here(target.parent().unwrap_or(Path::new(""))).to_owned();
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let part = folder.join(format!(".gapless-{}-{next}.part", std::process::id()));
        let mut options = options();
        options.write(true).create_new(true);
        if before.is_some() {
            only_for_the_owner(&mut options);
        }
        match options.open(&part) {
            Ok(file) => return Ok((file, Some(Beside { part, target, before, needed: false }))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => match &mut before {
                Some(before) if is_fixed(&error) && !before.fixed => {
                    before.fixed = true;
                    folder = std::env::temp_dir();
                }
                _ => return Err(error.into()),
            },
        }
    }
}

fn or_here(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// The path behind all links, whether or not something stands there; and whether it is one of this program's open
/// files, as `/dev/stdout` is: who has it open would go on with the file before.
fn followed(path: &Path) -> Result<(PathBuf, bool), Cause> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = std::fs::read_link(&path) else { return Ok((path, false)) };
        let folder = std::fs::canonicalize(or_here(path.parent().unwrap_or(Path::new(""))))?;
        if folder.starts_with("/proc") {
            return Ok((path, true));
        }
        path = folder.join(next);
    }
    Err(Cause::msg("too many symbolic links"))
}
