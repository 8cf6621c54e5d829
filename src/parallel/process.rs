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
//! 2. *With its parent*, however that ends: its end of the connection is closed, and the child exits. In
//!    the middle of a call it has a second for that.
//! 3. *By itself*, in the middle of a call (a signal, an exit): the document fails, with a [`Died`] as
//!    cause, and the next document gets a new child.
//! 4. *By itself*, before it has taken a call: the document is sent to another child.
//! 5. *Killed*, where a document takes longer than [`Isolated::timeout`], the run is stopped, or the child
//!    says what it was not asked.
//!
//! An end is seen within two looks, 20 ms apart, whatever other processes hold of the child's. What a function starts
//! gets `/dev/null` as stdin and the child's stderr, and nothing of the connection. A child leads a process group of its
//! own, which is ended with it, however it ends: only what puts itself into another group goes on. So a key that
//! interrupts the program at a terminal does not reach its children, which end with their parent.

mod child;
mod died;
mod frame;
mod isolated;
mod mark;
mod reaped;
mod reply;
mod serve;
mod stderr;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod transfer;

use std::thread;
use std::time::{Duration, Instant};

pub use self::died::{Died, Ending};
pub use self::isolated::Isolated;
pub use self::serve::{Functions, serve};
pub use self::transfer::Transfer;

/// Time that a process has to be gone once it was killed or has left its connection.
const LAST_MOMENTS: Duration = Duration::from_secs(1);

/// Asks again and again, at first often, until it is so or the time is over.
#[expect(
    clippy::disallowed_methods,
    reason = "a process that ends wakes nobody who can be stopped meanwhile"
)]
fn each_moment(time: Duration, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    let mut pause = Duration::from_micros(50);
    while !is_so() && start.elapsed() < time {
        thread::sleep(pause);
        pause = (2 * pause).min(Duration::from_millis(5));
    }
}
