//! Workers of the seam: a rayon pool, or threads of the run where its stages are borrowed, and in tests.

use std::io;
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::{Mutex, Receiver, Seam, Sender, Threads};

/// Which pool the workers come from.
#[derive(Clone, Debug)]
pub(crate) enum Pool {
    /// A pool of the run's own with so many threads.
    Private(usize),
    /// A pool of the caller's. It is never closed by us.
    Outside(Arc<ThreadPool>),
}

impl Pool {
    pub(crate) fn threads(&self) -> usize {
        match self {
            Self::Private(threads) => *threads,
            Self::Outside(pool) => pool.current_num_threads(),
        }
    }
}

/// Who runs tickets. A ticket is a right, and says nothing of what will be run.
pub(crate) enum Workers {
    /// A pool; `None` once it is closed.
    Rayon(Mutex<Option<Arc<ThreadPool>>>),
    /// Threads of the run, which wait for tickets here.
    Threads(Mutex<Option<Sender<()>>>),
}

impl Workers {
    /// The threads of a pool.
    pub(crate) fn pool(pool: &Pool, threads: &Threads) -> io::Result<Self> {
        let pool = match pool {
            Pool::Outside(pool) => pool.clone(),
            Pool::Private(workers) => Arc::new(private(*workers, threads)?),
        };
        Ok(Self::Rayon(Mutex::real(Some(pool))))
    }

    /// So many threads of the run itself, and where they wait for tickets.
    pub(crate) fn threads(seam: &Seam, workers: usize) -> (Self, Receiver<()>) {
        // No more tickets are given out than there are workers.
        let (sender, receiver) = seam.channel(2 * workers);
        (Self::Threads(seam.mutex(Some(sender))), receiver)
    }

    /// Lets a thread of the run use a ticket.
    pub(crate) fn wake_one(&self) {
        let Self::Threads(sender) = self else { return };
        let sender = sender.lock().clone();
        if let Some(sender) = sender {
            let _nobody_waits = sender.send(());
        }
    }

    /// Lets a thread of the pool use a ticket in this way; it is dropped where the pool is closed.
    pub(crate) fn spawn(&self, ticket: impl FnOnce() + Send + 'static) {
        let Self::Rayon(pool) = self else { return self.wake_one() };
        let pool = pool.lock().clone();
        if let Some(pool) = pool {
            pool.spawn(ticket);
        }
    }

    /// Lets the threads of a private pool end.
    pub(crate) fn close(&self) {
        match self {
            Self::Rayon(pool) => drop(taken(pool)),
            Self::Threads(sender) => drop(taken(sender)),
        }
    }
}

/// What is in the slot, after the lock is given back.
fn taken<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().take()
}

fn private(workers: usize, threads: &Threads) -> io::Result<ThreadPool> {
    ThreadPoolBuilder::new()
        .num_threads(workers)
        .spawn_handler(|thread| threads.spawn(worker_name(thread.index()), Box::new(move || thread.run())))
        .build()
        .map_err(io::Error::other)
}

/// Waits for a ticket; false where there will be none.
pub(crate) fn next_ticket(tickets: &Receiver<()>) -> bool {
    tickets.recv().is_ok()
}

const NAME: &str = "gapless-cpu-";

pub(crate) fn worker_name(rank: usize) -> String {
    format!("{NAME}{rank}")
}

/// Which worker this thread is: its place in its pool, else in its name; 0 where the caller does the work.
pub(crate) fn rank() -> usize {
    let in_pool = rayon::current_thread_index();
    in_pool.or_else(|| std::thread::current().name()?.strip_prefix(NAME)?.parse().ok()).unwrap_or(0)
}
