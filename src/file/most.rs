//! How many bytes are taken of one file or address.

use crate::error::Cause;

/// The most bytes that are taken of one file or address, and the setting that says so. 0 is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Most {
    pub(crate) bytes: u64,
    /// The method to see; empty where there is none.
    pub(crate) setting: &'static str,
}

impl Most {
    /// Whether so many are taken.
    pub(crate) fn admit(self, bytes: u64) -> Result<(), Cause> {
        if self.bytes == 0 || bytes <= self.bytes {
            return Ok(());
        }
        let most = self.bytes;
        let message = format!("{bytes} bytes are more than the limit of {most} a file");
        Err(Cause::msg(match self.setting {
            "" => message,
            setting => format!("{message}: see `{setting}`"),
        }))
    }

    /// As many bytes as have to be seen to know that there are too many.
    pub(super) fn look(self) -> u64 {
        if self.bytes == 0 { u64::MAX } else { self.bytes.saturating_add(1) }
    }
}
