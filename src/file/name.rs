//! Names of files and addresses as messages say them: each in one line, and none longer than is read.

use std::fmt::{self, Display, Write};
use std::path::Path;

#[cfg(any(feature = "doc", feature = "image"))]
use super::address::after_scheme;

#[cfg(any(feature = "doc", feature = "image"))]
/// Most characters that are said of an address with a scheme. A path is said whole: it has to be found.
const LONGEST: usize = 200;

/// A path as messages say it.
pub(crate) fn name(path: &Path) -> impl Display + use<'_> {
    Shown(path.display())
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
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text, cut) = *self;
        write!(f, "{}{}", Shown(text), if cut { "…" } else { "" })
    }
}

/// Control characters are escaped: a name with a newline in it is still one line.
struct Shown<T>(T);

impl<T: Display> Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| match letter.is_control() {
            true => write!(self.0, "{}", letter.escape_default()),
            false => self.0.write_char(letter),
        })
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
