//! How many devices a run takes where the device is the CPU: one thread of it a core.

use super::Plan;
use crate::engine::guard::guard;
use crate::engine::road::job::Job;
use crate::engine::seam::Seam;
use crate::engine::settings::Settings;
use crate::error::{Cause, Error};
use crate::observe::decision::Decision;
use crate::stage::GpuStage as _;

/// Splits a stage that is given alone and computes on the CPU in as many as pay; `items` are those that the memory
/// holds.
///
/// A twin computes on one core, so that the others would have the CPU half alone, which is mostly the smaller one.
/// Threads that wait for a core cost nothing, and the device that has none to do sleeps.
pub(super) fn split<J: Job>(plan: &mut Plan<J>, items: Option<usize>) -> Result<Option<Decision>, Error> {
    let Plan { seam, devices, settings, sequential, .. } = plan;
    if !settings.split || *sequential || devices.len() != 1 || settings.common.pool().threads() == 0 {
        return Ok(None);
    }
    let most = most(seam, settings, items);
    while devices.len() < most {
        let another = guard(|| devices[0].split()).map_err(open)?;
        let Some(another) = another else { return Ok(None) };
        devices.push(another);
    }
    let reason = "the device is the CPU: a thread of it for each core that this process may use";
    Ok((most > 1).then(|| Decision::new("devices", most, reason)))
}

/// As many as there are cores, or workers where these run the devices, and as the memory has batches for.
fn most(seam: &Seam, settings: &Settings, items: Option<usize>) -> usize {
    let threads = if settings.on_workers { settings.common.pool().threads() } else { seam.cores() };
    let in_memory =
        items.map_or(usize::MAX, |items| (items / settings.batch_size).saturating_sub(settings.ahead() + 2));
    threads.min(in_memory).max(1)
}

fn open(cause: Cause) -> Error {
    Error::Open { cause }
}
