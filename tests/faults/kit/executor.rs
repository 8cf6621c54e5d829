//! An executor of one task that polls only when it was woken.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::process::HANGS;

/// Tells the executor that there may be news.
struct Alarm {
    rung: AtomicBool,
    ring: mpsc::SyncSender<()>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // Whoever is gone needs no waking, and a ring that is full has rung.
            self.ring.try_send(()).unwrap_or_default();
        }
    }
}

/// Polls one stream, each time that it was woken.
pub(crate) struct Executor {
    alarm: Arc<Alarm>,
    rings: mpsc::Receiver<()>,
}

impl Executor {
    pub(crate) fn new() -> Self {
        let (ring, rings) = mpsc::sync_channel(1);
        Self { alarm: Arc::new(Alarm { rung: AtomicBool::new(false), ring }), rings }
    }

    /// The next item; an error where nobody wakes the task any more.
    pub(crate) fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Result<Option<S::Item>, &'static str> {
        let waker = Waker::from(self.alarm.clone());
        loop {
            if let Poll::Ready(item) = Pin::new(&mut *stream).poll_next(&mut Context::from_waker(&waker)) {
                return Ok(item);
            }
            let woken = self.wait();
            self.alarm.rung.store(false, Ordering::SeqCst);
            woken?;
        }
    }

    /// Waits until the task is woken. An executor in a pool of others gives that its turn.
    fn wait(&self) -> Result<(), &'static str> {
        let deadline = Instant::now() + HANGS;
        while Instant::now() < deadline {
            let slice = match rayon::yield_now() {
                None => HANGS,
                Some(rayon::Yield::Executed) => Duration::ZERO,
                Some(rayon::Yield::Idle) => Duration::from_micros(100),
            };
            if self.rings.recv_timeout(slice).is_ok() {
                return Ok(());
            }
        }
        Err("a task that waits for a result was never woken")
    }
}
