//! Numbers that follow from the settings.

use std::sync::Arc;

use super::Plan;
use crate::engine::road::job::{After, Job};
use crate::engine::road::plain;
use crate::observe::meters::DeviceMeter;
use crate::schedule::tokens::Room;

/// Batches that may be on all devices at once.
pub(super) fn depths(meters: &[Arc<DeviceMeter>]) -> usize {
    meters.iter().fold(0_usize, |depths, meter| depths.saturating_add(meter.depth))
}

#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) workers: usize,
    pub(super) tokens: usize,
    /// Tokens that items of this kind have at least, where `ahead` was left open.
    pub(super) least: usize,
    /// Items at which a batch is cut, whatever else it waits for: the tokens that items of any kind have.
    pub(super) limit: usize,
    pub(super) inline: bool,
}

impl Sizes {
    /// `items` are those that the memory holds.
    pub(super) fn new<J: Job>(plan: &Plan<J>, meters: &[Arc<DeviceMeter>], items: Option<usize>) -> Self {
        let settings = &plan.settings;
        let workers = settings.common.pool().threads();
        let copies = settings.copies(depths(meters));
        let most = items.map_or(usize::MAX, |items| items.saturating_sub(copies).max(1));
        let inline = workers == 0;
        let left_open = (settings.common.ahead.is_none() || settings.asked.ahead)
            && settings.max_wait.is_none()
            && !inline;
        let least = if left_open { plain::tokens::<J>().min(most) } else { 0 };
        let items = settings.tokens(workers, depths(meters), J::After::PER_ROW);
        let Room { limit, tokens } = Room::new(items, least, most);
        Self { workers, tokens, least, limit, inline }
    }
}
