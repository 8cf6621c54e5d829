//! What is left to gapless, as a run starts: what memory allows, and who decides from what is measured.

use std::sync::Arc;

use super::Plan;
use super::sizes::{Sizes, depths};
use crate::engine::auto::{Chooser, Scope};
use crate::engine::guard::guard;
use crate::engine::road::job::{After, Job};
use crate::engine::road::source::Source as _;
use crate::error::{Cause, Error};
use crate::observe::meters::DeviceMeter;
use crate::schedule::tokens::{MOST_AHEAD, MOST_TOKENS, beside};
use crate::stage::{CpuStage as _, GpuStage as _};

/// Items that the memory holds, where it is bounded. The settings that are left open are fitted to them
/// before the stages allocate.
pub(super) fn items_in_memory<J: Job>(plan: &mut Plan<J>) -> Result<Option<usize>, Error> {
    if plan.settings.asked.ahead {
        let most = MOST_TOKENS / plan.settings.batch_size;
        plan.settings.common.ahead = Some(MOST_AHEAD.min(most).max(1));
    }
    if plan.settings.memory.is_none() {
        return Ok(None);
    }
    let known = guard(|| plan.cpu.prepared_bytes()).map_err(|cause| Error::Open { cause })?;
    let items = plan.settings.items_in_memory(known)?;
    let depth = |gpu: &J::Gpu| guard(|| gpu.depth());
    let depths: Result<Vec<usize>, Cause> = plan.devices.iter().map(depth).collect();
    let depths = depths.map_err(|cause| Error::Open { cause })?;
    let depths = depths.into_iter().fold(0, |all: usize, depth| all.saturating_add(depth.max(1)));
    plan.settings.fit(items, depths, J::After::PER_ROW)?;
    Ok(items)
}

/// What decides from measured costs, where anything is left to that.
pub(super) fn chooser<J: Job>(plan: &Plan<J>, meters: &[Arc<DeviceMeter>], sizes: Sizes) -> Option<Chooser> {
    let settings = &plan.settings;
    if !settings.asked.anything() {
        return None;
    }
    let scope = Scope {
        asked: settings.asked,
        workers: sizes.workers,
        devices: meters.len(),
        shares_cpu: meters.iter().any(|meter| meter.info.kind.shares_cpu()),
        largest: settings.batch_size,
        ahead: settings.ahead(),
        ramp: settings.ramp,
        beside: beside(depths(meters), J::After::PER_ROW),
        tokens: sizes.tokens,
        least_tokens: sizes.least,
        length: plan.source.length(),
        live: settings.is_live(),
        target_latency: settings.target_latency,
    };
    Some(Chooser::new(&plan.seam, scope))
}
