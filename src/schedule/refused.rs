//! Settings with which no schedule can work, refused for a run before it starts and for a prediction alike.

use super::tokens::MOST_TOKENS;
use crate::error::Error;

/// More threads than any machine has cores.
const MOST_WORKERS: usize = 1 << 12;

/// A setting that cannot work, and why.
pub(crate) fn refuse<T>(name: &'static str, reason: impl Into<String>) -> Result<T, Error> {
    Err(Error::Setting { name, reason: reason.into() })
}

/// Batches of no documents are refused.
pub(crate) fn check_batch_size(batch_size: usize) -> Result<(), Error> {
    match batch_size {
        0 => refuse("batch_size", "0 documents a batch would never fill one; give 1 or more"),
        _ => Ok(()),
    }
}

/// No batches ahead, or so many that it must be a mistake, are refused.
pub(crate) fn check_ahead(ahead: usize, batch_size: usize) -> Result<(), Error> {
    match ahead {
        0 => refuse("ahead", "with 0 batches ahead the device waits for every batch; give 1 or more"),
        _ if too_many(ahead, batch_size) => {
            refuse("batch_size", "batch_size × ahead is more than 2^24 documents in flight; give less")
        }
        _ => Ok(()),
    }
}

/// What the stages ask for must be bounded as the settings are. `depths` is the sum over the devices.
pub(crate) fn check_depths(depths: usize, batch_size: usize) -> Result<(), Error> {
    if too_many(depths, batch_size) {
        let reason = "batches in flight on the devices are more than 2^24 documents; give less";
        return refuse("depth", format!("{depths} {reason}"));
    }
    Ok(())
}

fn too_many(batches: usize, batch_size: usize) -> bool {
    batches.saturating_mul(batch_size) > MOST_TOKENS
}

/// Whether so many workers must be a mistake.
pub(crate) fn too_many_workers(workers: usize) -> bool {
    workers > MOST_WORKERS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(checked: Result<(), Error>) -> Option<&'static str> {
        match checked {
            Err(Error::Setting { name, .. }) => Some(name),
            _ => None,
        }
    }

    #[test]
    fn what_cannot_work_is_refused_by_the_name_of_its_setting() {
        assert_eq!([0, 1].map(|size| named(check_batch_size(size))), [Some("batch_size"), None]);
        assert_eq!([0, 1].map(|ahead| named(check_ahead(ahead, 16))), [Some("ahead"), None]);
        let most = MOST_TOKENS / 2;
        assert_eq!([most, most + 1].map(|size| named(check_ahead(2, size))), [None, Some("batch_size")]);
        assert_eq!([most, most + 1].map(|depth| named(check_depths(depth, 2))), [None, Some("depth")]);
        assert_eq!([1 << 12, (1 << 12) + 1].map(too_many_workers), [false, true]);
        assert_eq!(named(check_depths(usize::MAX, usize::MAX)), Some("depth"));
    }
}
