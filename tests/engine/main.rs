//! The engine by its laws, through public items only: how a run ends, what a failure does, which order
//! results have, what bounds memory, and with whom a pool may be shared.
//!
//! Gates, not sleeps: a timing never decides a test. A test that hangs ends the process with its name.

mod auto;
mod contexts;
mod endings;
mod gpu_failures;
mod halves;
mod handles;
mod hangs;
mod losses;
#[cfg(feature = "stream")]
mod opening;
mod order;
mod own_rows;
mod own_stages;
mod pools;
mod scoped;
mod serial;
mod served;
mod settings;
mod skips;
mod sources;
mod stacks;
mod stalls;
mod states;
mod stopped;
mod support;
mod then;
mod tokens;
