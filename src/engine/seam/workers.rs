//! Workers of the seam: a rayon pool in real runs, plain threads of the seam in tests.

use std::io;
use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};

#[cfg(test)]
use super::Sender;
use super::{Mutex, Seam, Threads};

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

pub(crate) enum Workers {
    /// `None` once the pool is closed.
    Rayon(Mutex<Option<Arc<ThreadPool>>>),
    #[cfg(test)]
    Threads(Mutex<Option<Sender<Ticket>>>),
}

#[cfg(test)]
pub(crate) type Ticket = Box<dyn FnOnce() + Send>;

impl Workers {
    pub(crate) fn start(seam: &Seam, pool: &Pool, threads: &Threads) -> io::Result<Self> {
        match (seam, pool) {
            (_, Pool::Outside(pool)) => Ok(Self::Rayon(Mutex::real(Some(pool.clone())))),
            (Seam::Real { .. }, Pool::Private(workers)) => {
                let pool = private(*workers, threads)?;
                Ok(Self::Rayon(Mutex::real(Some(Arc::new(pool)))))
            }
            #[cfg(test)]
            (_, Pool::Private(workers)) => Self::plain(seam, *workers, threads),
        }
    }

    #[cfg(test)]
    fn plain(seam: &Seam, workers: usize, threads: &Threads) -> io::Result<Self> {
        let (sender, receiver) = seam.channel::<Ticket>(2 * workers);
        for rank in 0..workers {
            let tickets = receiver.clone();
            threads.spawn(worker_name(rank), move || {
                while let Ok(ticket) = tickets.recv() {
                    ticket();
                }
            })?;
        }
        Ok(Self::Threads(seam.mutex(Some(sender))))
    }

    /// Lets a worker run the ticket; it is dropped where the pool is closed.
    pub(crate) fn spawn(&self, ticket: impl FnOnce() + Send + 'static) {
        match self {
            Self::Rayon(pool) => {
                let pool = pool.lock().clone();
                if let Some(pool) = pool {
                    pool.spawn(ticket);
                }
            }
            #[cfg(test)]
            Self::Threads(sender) => {
                let sender = sender.lock().clone();
                if let Some(sender) = sender {
                    let sent = sender.send(Box::new(ticket));
                    drop(sent);
                }
            }
        }
    }

    /// Lets the threads of a private pool end.
    pub(crate) fn close(&self) {
        match self {
            Self::Rayon(pool) => drop(taken(pool)),
            #[cfg(test)]
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
        .spawn_handler(|thread| threads.spawn(worker_name(thread.index()), move || thread.run()))
        .build()
        .map_err(io::Error::other)
}

const NAME: &str = "gapless-cpu-";

fn worker_name(rank: usize) -> String {
    format!("{NAME}{rank}")
}

/// Which worker this thread is: its place in its pool, else in its name; 0 where the caller does the work.
pub(crate) fn rank() -> usize {
    let in_pool = rayon::current_thread_index();
    in_pool.or_else(|| std::thread::current().name()?.strip_prefix(NAME)?.parse().ok()).unwrap_or(0)
}
