//! Functions in processes of their own: one that aborts costs one document and not the run.
//!
//! [`Isolated`] is a CPU stage that sends each document to a child, which is the same program started
//! again, and takes document and result back; what the function changed in the document comes back too.
//! In the child [`serve`] runs the functions that were registered by name. Documents and results travel
//! as bytes, see [`Transfer`]. Neither thread nor queue is added: the worker that calls waits for its child.
//!
//! It is for isolation, not for speed: a call costs two copies of the document and two switches of
//! process. Threads are faster for everything that can be trusted not to take the process down.
//!
//! # How a child ends
//! 1. *With its stage*, when that is dropped: killed and waited for, so that no zombie is left.
//! 2. *With its parent*, however that ends: its end of the connection is closed, and the child exits,
//!    also in the middle of a call.
//! 3. *By itself*, in the middle of a call (a signal, an exit): the document fails, with a [`Died`] as
//!    cause, and the next document gets a new child.
//! 4. *Killed*, where a document takes longer than [`Isolated::timeout`] or the run is stopped.

mod child;
mod frame;
mod isolated;
mod serve;
mod transfer;

pub use self::child::{Died, Ending};
pub use self::isolated::Isolated;
pub use self::serve::{Functions, serve};
pub use self::transfer::Transfer;

/// Set in a child, and nowhere else.
const CHILD: &str = "GAPLESS_CHILD";
/// What a child says first.
const HELLO: &[u8] = b"gapless 1\n";
