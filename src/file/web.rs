//! What an `http` or `https` address names.

use std::time::Duration;

use super::Most;
use crate::error::Cause;

/// Most bytes that are fetched where nothing is said: a server may send without end.
const MOST: u64 = 64 << 20;

pub(super) fn fetch(address: &str, most: Most, timeout: Duration) -> Result<Vec<u8>, Cause> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(timeout)).build().into();
    let mut response = agent.get(address).header("User-Agent", "Mozilla/5.0 (gapless)").call()?;
    let most = if most.bytes == 0 { MOST } else { most.bytes };
    Ok(response.body_mut().with_config().limit(most).read_to_vec()?)
}
