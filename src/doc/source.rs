//! The bytes that a uri names: a file, a data URI, or an address.

use std::borrow::Cow;
use std::time::Duration;

use super::data_uri;
use crate::error::Cause;

/// How long an address may take where nothing else is said.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes that are fetched from an address: as many as are read of a photo's file.
#[cfg(feature = "http")]
const MOST_FETCHED: u64 = 64 << 20;

/// Where a uri points.
pub(crate) enum Source<'a> {
    Path(Cow<'a, str>),
    Bytes(Vec<u8>),
}

/// Finds the bytes that do not stand in a file of this machine.
pub(crate) fn find(uri: &str, timeout: Duration) -> Result<Source<'_>, Cause> {
    if uri.is_empty() {
        return Err(Cause::msg("the document names nothing: its uri is empty"));
    }
    if data_uri::is(uri) {
        return Ok(Source::Bytes(data_uri::decode(uri)?.1));
    }
    match uri.split_once("://") {
        Some(("http" | "https", _)) => {
            Ok(Source::Bytes(fetch(uri, timeout).map_err(|cause| cause.context(uri))?))
        }
        Some(("file", path)) => Ok(Source::Path(path.into())),
        _ => Ok(Source::Path(uri.into())),
    }
}

/// The bytes that a uri names, wherever they are.
pub(crate) fn read(uri: &str, timeout: Duration) -> Result<Vec<u8>, Cause> {
    match find(uri, timeout)? {
        Source::Bytes(bytes) => Ok(bytes),
        Source::Path(path) => std::fs::read(&*path).map_err(|error| Cause::from(error).context(path)),
    }
}

#[cfg(feature = "http")]
fn fetch(uri: &str, timeout: Duration) -> Result<Vec<u8>, Cause> {
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(timeout)).build().into();
    let mut response = agent.get(uri).header("User-Agent", "Mozilla/5.0 (gapless)").call()?;
    Ok(response.body_mut().with_config().limit(MOST_FETCHED).read_to_vec()?)
}

#[cfg(not(feature = "http"))]
fn fetch(_: &str, _: Duration) -> Result<Vec<u8>, Cause> {
    Err(Cause::msg("addresses are fetched with the feature `http` of gapless only"))
}
