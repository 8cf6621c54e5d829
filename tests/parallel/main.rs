//! A function over many items without a GPU: order, bounds, failures, endings, and what can be set.
//!
//! Gates, not sleeps: a timing never decides a test. A test that hangs ends the process with its name.

#[expect(dead_code, reason = "the tests of the engine use all of it")]
#[path = "../engine/support.rs"]
mod support;

mod borrowed;
mod causes;
mod faces;
mod futures;
mod late;
mod lent;
#[cfg(target_os = "linux")]
mod process;
mod returns;
mod runs;
#[cfg(feature = "stream")]
mod stream;
mod vectorizer;
#[path = "../common/waits.rs"]
mod waits;
