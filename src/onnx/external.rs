//! Values of a tensor that stand in a file beside the model.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

use super::proto::StringStringEntryProto;
use crate::error::Cause;
use crate::file;

/// Reads `bytes` bytes, which is what the tensor's shape wants.
pub(super) fn read(
    entries: &[StringStringEntryProto],
    folder: Option<&Path>,
    bytes: usize,
) -> Result<Vec<u8>, Cause> {
    let folder = folder.ok_or_else(|| {
        Cause::msg("its values stand in another file: read the model by its path, so that the file is found")
    })?;
    let location = entry(entries, "location").ok_or_else(|| Cause::msg("external data has no location"))?;
    let path = folder.join(beside(location)?);
    let offset = number(entries, "offset")?.unwrap_or(0);
    let wanted = bytes as u64;
    let length = number(entries, "length")?.unwrap_or(wanted);
    if length != wanted {
        return Err(Cause::msg(format!("{location} has {length} bytes of it, and its shape wants {wanted}")));
    }
    let file = file::open(&path)?;
    part(file, offset, bytes).map_err(|cause| cause.context(file::name(&path)))
}

fn part(mut file: File, offset: u64, bytes: usize) -> Result<Vec<u8>, Cause> {
    let size = file.metadata()?.len();
    if offset.checked_add(bytes as u64).is_none_or(|end| end > size) {
        let message = format!("{bytes} bytes at {offset} are wanted, and the file has {size}");
        return Err(Cause::msg(message));
    }
    file.seek(SeekFrom::Start(offset))?;
    let mut data = Vec::new();
    data.try_reserve_exact(bytes)?;
    data.resize(bytes, 0);
    file.read_exact(&mut data)?;
    Ok(data)
}

/// A path that does not leave the model's folder.
fn beside(location: &str) -> Result<PathBuf, Cause> {
    let path = PathBuf::from(location);
    let stays = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    // A backslash and a colon lead elsewhere on Windows only; a model is the same on every machine.
    if location.is_empty() || !stays || location.contains(['\\', ':']) {
        return Err(Cause::msg(format!("external data at {location:?}, which is not beside the model")));
    }
    Ok(path)
}

fn number(entries: &[StringStringEntryProto], key: &str) -> Result<Option<u64>, Cause> {
    let parse = |text: &str| text.parse().map_err(|_| Cause::msg(format!("its {key} is {text:?}")));
    entry(entries, key).map(parse).transpose()
}

fn entry<'a>(entries: &'a [StringStringEntryProto], key: &str) -> Option<&'a str> {
    entries.iter().find(|entry| entry.key.as_deref() == Some(key))?.value.as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_beside_the_model_only() {
        for location in ["weights.bin", "data/weights.bin", "./weights.bin"] {
            assert!(beside(location).is_ok(), "{location}");
        }
        for location in ["", "/etc/passwd", "../weights.bin", "data/../../weights", "C:\\weights", "..\\w"] {
            let error = beside(location).unwrap_err().to_string();
            assert!(error.contains("not beside the model"), "{location}");
        }
    }

    fn entries(pairs: &[(&str, &str)]) -> Vec<StringStringEntryProto> {
        let entry = |&(key, value): &(&str, &str)| StringStringEntryProto {
            key: Some(key.into()),
            value: Some(value.into()),
        };
        pairs.iter().map(entry).collect()
    }

    #[test]
    fn a_part_of_a_file_is_read() {
        let folder = std::env::temp_dir().join(format!("gapless-external-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        file::write(folder.join("w.bin"), [1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let part = |pairs: &[(&str, &str)], bytes| read(&entries(pairs), Some(&folder), bytes);
        assert_eq!(part(&[("location", "w.bin"), ("offset", "4")], 4).unwrap(), [5, 6, 7, 8]);
        let past = part(&[("location", "w.bin"), ("offset", "6")], 4).unwrap_err().to_string();
        assert!(past.ends_with("4 bytes at 6 are wanted, and the file has 8"), "{past}");
        let short = part(&[("location", "w.bin"), ("length", "3")], 4).unwrap_err().to_string();
        assert_eq!(short, "w.bin has 3 bytes of it, and its shape wants 4");
        assert!(part(&[("location", "w.bin"), ("offset", "-1")], 4).is_err());
        assert!(part(&[("location", "missing.bin")], 4).is_err());
        assert!(read(&entries(&[("location", "w.bin")]), None, 4).is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
