//! Who looks whether a run moves and is in time: the watchdog, items that are late, the caller's own limits, the
//! bar. They read the ledger, and never hold a document.
//!
//! Uses: `ledger`. Used by: `road` (whose threads say where they are), `outlet`.

mod checks;
mod late;
mod look;
mod post;
mod redraw;
mod station;
mod stations;
#[cfg(feature = "stream")]
mod timer;
mod watchdog;

pub(crate) use self::checks::Checks;
pub use self::late::Late;
pub(crate) use self::late::{LateItems, OnLate};
pub(crate) use self::post::{AtWork, Post};
#[cfg(test)]
pub(crate) use self::redraw::EVERY;
pub(crate) use self::redraw::Redraw;
pub(crate) use self::station::Doing;
pub(crate) use self::stations::Watched;
#[cfg(feature = "stream")]
pub(crate) use self::timer::Timer;
pub(crate) use self::watchdog::{Lookout, OnStall, run as run_watchdog};
