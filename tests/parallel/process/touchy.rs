//! Values whose code panics in the child: the document fails, and the child goes on.

use std::error::Error as StdError;
use std::fmt;

use gapless::parallel::process::Transfer;
use gapless::{Cause, CpuStage as _};

use super::isolated;
use crate::support::{planted_panic, watch};

/// Where it panics, in a child alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Touchy {
    Nowhere,
    Decode,
    Encode,
    Drop,
    /// It is an error, and not a panic.
    Refuses,
}

const ALL: [Touchy; 5] = [Touchy::Nowhere, Touchy::Decode, Touchy::Encode, Touchy::Drop, Touchy::Refuses];

fn in_the_child() -> bool {
    std::env::var_os("GAPLESS_CHILD").is_some()
}

/// Panics when it is touched as it says.
#[derive(Debug)]
pub(super) struct Value(Touchy);

impl Value {
    fn touch(&self, touched: Touchy) {
        if self.0 == touched && in_the_child() {
            planted_panic();
        }
    }
}

impl Transfer for Value {
    fn encode(&self, out: &mut Vec<u8>) {
        self.touch(Touchy::Encode);
        (ALL.iter().position(|touchy| *touchy == self.0).unwrap()).encode(out);
    }

    fn decode(bytes: &mut &[u8]) -> Result<Self, Cause> {
        let value = Self(ALL[usize::decode(bytes)?]);
        if in_the_child() && value.0 == Touchy::Refuses {
            return Err(Cause::msg("refused"));
        }
        value.touch(Touchy::Decode);
        Ok(value)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.touch(Touchy::Drop);
    }
}

pub(super) fn touch(_: &mut Value) -> Result<u32, Cause> {
    Ok(std::process::id())
}

pub(super) fn touch_the_result(touchy: &mut usize) -> Result<Value, Cause> {
    Ok(Value(ALL[*touchy]))
}

/// Panics when it is printed and when it is dropped.
#[derive(Debug)]
struct Bad;

impl fmt::Display for Bad {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        planted_panic()
    }
}

impl StdError for Bad {}

impl Drop for Bad {
    fn drop(&mut self) {
        planted_panic()
    }
}

pub(super) fn fail_badly(_: &mut u8) -> Result<u32, Cause> {
    Err(Bad.into())
}

#[test]
fn a_document_whose_code_panics_in_the_child_costs_no_child() {
    let _watch = watch();
    let stage = isolated::<Value, u32>("touch");
    let child = stage.prepare(&mut Value(Touchy::Nowhere)).unwrap();
    for touchy in ALL {
        let mut document = Value(touchy);
        let made = stage.prepare(&mut document);
        assert_eq!(document.0, touchy);
        match (touchy, made) {
            (Touchy::Nowhere | Touchy::Drop, made) => assert_eq!(made.unwrap(), child),
            (Touchy::Refuses, made) => {
                let text = "the child process could not read the document: refused";
                assert_eq!(made.unwrap_err().to_string(), text);
            }
            (touchy, made) => {
                let cause = made.unwrap_err();
                let doing =
                    if touchy == Touchy::Decode { "read the document" } else { "give the document back" };
                assert_eq!(
                    cause.to_string(),
                    format!("the child process could not {doing}: panicked: planted")
                );
                assert!(cause.is_panic());
            }
        }
    }
    assert_eq!(stage.prepare(&mut Value(Touchy::Nowhere)).unwrap(), child);
}

#[test]
fn a_result_or_an_error_whose_code_panics_in_the_child_is_told() {
    let _watch = watch();
    let stage = isolated::<usize, Value>("touch the result");
    for (number, touchy) in ALL.into_iter().enumerate() {
        let made = stage.prepare(&mut number.clone());
        match touchy {
            Touchy::Encode => assert!(made.unwrap_err().is_panic()),
            _ => assert_eq!(made.unwrap().0, touchy),
        }
    }
    let cause = isolated::<u8, u32>("fail badly").prepare(&mut 1).unwrap_err();
    assert_eq!((cause.to_string().as_str(), cause.is_panic()), ("[its Display panicked: planted]", false));
}
