//! What a message says, it says once and in one line.

use std::error::Error as StdError;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use super::super::stalled::{At, Inside, Stalled, Wait};
use super::super::text::OneLine;
use super::{Cause, Error, Layer, printed};

/// Says what the error in it says, and perhaps more.
#[derive(Debug)]
struct Around(&'static str, Layer);

impl Display for Around {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.0, self.1)
    }
}

impl StdError for Around {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.1)
    }
}

#[test]
fn a_text_that_was_said_is_not_said_again() {
    for around in ["", "the format: "] {
        let cause = Cause::from(Around(around, Layer::three())).context("cat.jpg");
        assert_eq!(cause.to_string(), format!("cat.jpg: {around}no photo: no file: no disk"));
        assert_eq!(
            printed(&cause.into_error()),
            [format!("cat.jpg: {around}no photo"), "no file".into(), "no disk".into()]
        );
    }
}

/// Names of every control character and line break, alone, doubled and among others.
fn names() -> impl Iterator<Item = String> {
    let odd = (0..0xA0).chain(0x2020..0x2070).filter_map(char::from_u32);
    odd.flat_map(|odd| [format!("{odd}"), format!("a{odd}{odd}ß"), format!("{odd}/photo{odd}\u{1b}[31m.jpg")])
}

/// A thread of this name is inside a call, and another waits: whose pool it is names them.
fn stalled(name: &str) -> Stalled {
    let running = Duration::from_secs(1);
    let inside = vec![
        Inside { thread: name.into(), at: At::Caller, running },
        Inside { thread: name.into(), at: At::Rebuild, running },
    ];
    let waits = vec![Wait::DeviceForBatch(name.into())];
    Stalled { after: running, inside, waits, in_line: 0, taken: 0, tokens: None }
}

#[test]
fn no_name_begins_a_line_or_moves_what_a_terminal_shows() {
    for name in names() {
        let error = std::io::Error::other(name.clone());
        let said = [
            Cause::msg(&name).to_string(),
            Cause::msg("no photo").context(&name).context(&name).to_string(),
            Cause::from(name.clone()).to_string(),
            Cause::from(error).into_error().to_string(),
            Cause::panic(&name.clone()).to_string(),
            Error::Setting { name: "batch_size", reason: name.clone() }.to_string(),
            Error::Documents { cause: Cause::msg(&name) }.to_string(),
            format!("{:?}", Cause::msg(&name)),
            stalled(&name).to_string(),
        ];
        for said in said {
            assert!(!said.contains(char::is_control), "{said:?}");
            assert!(!said.contains(['\u{2028}', '\u{2029}', '\u{202E}', '\u{2066}']), "{said:?}");
        }
    }
    assert_eq!(OneLine("C:\\photos\\ä.jpg").to_string(), "C:\\photos\\ä.jpg", "other names stay as they are");
    assert_eq!(OneLine("a\nb\u{7f}").to_string(), "a\\nb\\u{7f}");
}
