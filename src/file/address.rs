//! The one reader of addresses, for documents and stages alike.
//!
//! A path has no scheme and is taken as it stands. The schemes `file`, `data`, `http` and `https` are known, in
//! any case; whatever else stands before a colon is part of a path.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::data::{decode, percent_decode};
use super::read::read_unnamed;
use super::{Most, address_name};
use crate::error::Cause;

/// How far an address may go.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// Of a file or a data URI.
    pub(crate) most: Most,
    /// Of what is fetched from a server.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "no server is asked"))]
    pub(crate) most_fetched: Most,
    /// For a server, from the first byte sent to the last one read.
    #[cfg_attr(not(feature = "http"), allow(dead_code, reason = "no server is asked"))]
    pub(crate) timeout: Duration,
}

/// How long a server may take where nothing else is said.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// What an address names.
#[derive(Debug, PartialEq)]
enum Named<'a> {
    File(Cow<'a, Path>),
    /// What stands behind `data:`.
    Data(&'a str),
    Web,
}

/// Reads what an address names into a buffer, whatever was in it before. Every error names the address.
pub(crate) fn fetch(address: &str, reach: &Reach, into: &mut Vec<u8>) -> Result<(), Cause> {
    if address.is_empty() {
        return Err(Cause::msg("there is nothing to read: the uri is empty"));
    }
    fetch_unnamed(address, reach, into).map_err(|cause| cause.context(address_name(address)))
}

fn fetch_unnamed(address: &str, reach: &Reach, into: &mut Vec<u8>) -> Result<(), Cause> {
    match named(address)? {
        Named::File(path) => read_unnamed(&path, reach.most, into)?,
        Named::Data(rest) => {
            *into = decode(rest)?;
            reach.most.admit(into.len() as u64)?;
        }
        Named::Web => *into = web(address, reach)?,
    }
    Ok(())
}

/// What stands behind this scheme and its colon; `None` where the address has another or none.
pub(super) fn after_scheme<'a>(address: &'a str, scheme: &str) -> Option<&'a str> {
    let (before, rest) = address.split_once(':')?;
    before.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// An address with its file's name at its end, as that is where it is kept.
#[cfg(feature = "doc")]
pub(crate) fn last_name(address: &str) -> Cow<'_, str> {
    match named(address) {
        Ok(Named::File(Cow::Owned(path))) => path.to_string_lossy().into_owned().into(),
        Ok(Named::Web) => address.split(['?', '#']).next().unwrap_or_default().into(),
        _ => address.into(),
    }
}

fn named(address: &str) -> Result<Named<'_>, Cause> {
    if let Some(rest) = after_scheme(address, "data") {
        return Ok(Named::Data(rest));
    }
    if let Some(rest) = after_scheme(address, "file") {
        return Ok(Named::File(file(rest)?.into()));
    }
    let web = ["http", "https"].into_iter().find_map(|scheme| after_scheme(address, scheme));
    if web.is_some_and(|rest| rest.starts_with("//")) {
        return Ok(Named::Web);
    }
    Ok(Named::File(Path::new(address).into()))
}

/// The path of a file URI (RFC 8089), of which `rest` stands behind the scheme: `///path`, `//localhost/path`,
/// `/path`.
fn file(rest: &str) -> Result<PathBuf, Cause> {
    let path = match rest.strip_prefix("//") {
        Some(rest) => {
            let (host, _) = rest.split_once('/').unwrap_or((rest, ""));
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                let message = "a file of this machine has no host before its path, as in file:///path";
                return Err(Cause::msg(format_args!("{message}; here it is {}", address_name(host))));
            }
            &rest[host.len()..]
        }
        None => rest,
    };
    if path.is_empty() {
        return Err(Cause::msg("it names no path"));
    }
    of_bytes(percent_decode(path)?)
}

#[cfg(unix)]
fn of_bytes(path: Cow<'_, [u8]>) -> Result<PathBuf, Cause> {
    use std::os::unix::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_vec(path.into_owned()).into())
}

#[cfg(not(unix))]
fn of_bytes(path: Cow<'_, [u8]>) -> Result<PathBuf, Cause> {
    let path = String::from_utf8(path.into_owned())?;
    // A drive stands behind a slash: file:///C:/path.
    let drive = path.strip_prefix('/').filter(|path| path.as_bytes().get(1) == Some(&b':'));
    Ok(drive.unwrap_or(&path).into())
}

#[cfg(feature = "http")]
fn web(address: &str, reach: &Reach) -> Result<Vec<u8>, Cause> {
    super::web::fetch(address, reach.most_fetched, reach.timeout)
}

#[cfg(not(feature = "http"))]
fn web(_: &str, _: &Reach) -> Result<Vec<u8>, Cause> {
    Err(Cause::msg("addresses are fetched with the feature `http` of gapless only"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(address: &str) -> PathBuf {
        match named(address) {
            Ok(Named::File(path)) => path.into_owned(),
            other => panic!("{address}: {other:?}"),
        }
    }

    #[test]
    fn a_path_is_taken_as_it_stands() {
        for address in
            ["a%20b.jpg", "./file", "C:\\a.jpg", "s3://a/b", "a:b", "http:", "httpx://a", "://", "a#b?c"]
        {
            assert_eq!(path(address), PathBuf::from(address));
        }
    }

    #[cfg(unix)]
    #[test]
    fn every_form_of_a_file_uri_is_the_same_path() {
        let forms = ["file:///a%20b/%C3%BC.jpg", "FILE:/a b/ü.jpg", "File://LocalHost/a%20b/%c3%bc.jpg"];
        for form in forms {
            assert_eq!(path(form), PathBuf::from("/a b/ü.jpg"), "{form}");
        }
        assert_eq!(path("file:photos/a.jpg"), PathBuf::from("photos/a.jpg"));
        assert_eq!(path("file:///a%25b%23%3F#c?d"), PathBuf::from("/a%b#?#c?d"));
    }

    #[test]
    fn what_is_no_file_of_this_machine_is_an_error() {
        for address in
            ["file://server/a.jpg", "file://photos/a.jpg", "file:", "file://", "file:///%2", "file:///%gg"]
        {
            assert!(named(address).is_err(), "{address}");
        }
    }

    #[test]
    fn a_scheme_is_known_in_any_case() {
        assert_eq!(named("DaTa:,a").expect("data"), Named::Data(",a"));
        assert_eq!(named("HTTPS://a/b").expect("an address"), Named::Web);
    }

    #[test]
    fn every_error_names_the_address() {
        let most = Most { bytes: 3, setting: "" };
        let reach = Reach { most, most_fetched: most, timeout: TIMEOUT };
        let cause = |address: &str| fetch(address, &reach, &mut Vec::new()).expect_err(address).to_string();
        for address in [
            "missing\n.jpg",
            "file:///missing",
            "file://host/x",
            "data:no comma",
            "data:;base64,*",
            "data:,four",
        ] {
            let named = address.replace('\n', "\\n");
            let named = named.split_inclusive(',').next().expect("a part");
            assert!(cause(address).starts_with(named), "{address}: {}", cause(address));
        }
    }
}
