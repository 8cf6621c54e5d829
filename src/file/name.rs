//! Names of files and addresses as messages say them: each in one line, and none longer than is read.

use std::fmt::Display;
use std::path::Path;

use crate::error::OneLine;

#[cfg(any(feature = "doc", feature = "image"))]
use super::address::after_scheme;

#[cfg(any(feature = "doc", feature = "image"))]
/// Most characters that are said of an address with a scheme. A path is said whole: it has to be found.
const LONGEST: usize = 200;

/// A path as messages say it.
pub(crate) fn name(path: &Path) -> impl Display + use<'_> {
    OneLine(path.display())
}

#[cfg(any(feature = "doc", feature = "image"))]
/// An address as messages say it: of a data URI what stands before its data.
pub(crate) fn address_name(address: &str) -> impl Display + use<'_> {
    let is = |scheme| after_scheme(address, scheme).is_some();
    let data = is("data").then(|| address.find(',')).flatten();
    let end = data.map_or(address.len(), |comma| comma + 1);
    let most = if ["data", "http", "https"].into_iter().any(is) { LONGEST } else { usize::MAX };
    let end = address[..end].char_indices().nth(most).map_or(end, |(at, _)| at);
    Cut(&address[..end], end < address.len())
}

#[cfg(any(feature = "doc", feature = "image"))]
struct Cut<'a>(&'a str, bool);

#[cfg(any(feature = "doc", feature = "image"))]
impl Display for Cut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self(text, cut) = *self;
        write!(f, "{}{}", OneLine(text), if cut { "…" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line() {
        assert_eq!(name(Path::new("a\nb\u{1b}[31m ü.jpg")).to_string(), "a\\nb\\u{1b}[31m ü.jpg");
    }

    #[cfg(any(feature = "doc", feature = "image"))]
    #[test]
    fn an_address_is_said_as_far_as_it_names_something() {
        let said = |address: &str| address_name(address).to_string();
        assert_eq!(said("http://a/b.jpg"), "http://a/b.jpg");
        assert_eq!(said("DATA:image/png;base64,AAAA"), "DATA:image/png;base64,…");
        assert_eq!(said("data:,"), "data:,");
        assert_eq!(said(&format!("http:{}", "ü".repeat(300))), format!("http:{}…", "ü".repeat(195)));
        assert_eq!(said(&"ü".repeat(300)), "ü".repeat(300));
    }
}
