//! Who runs the threads of a run, and for how long they may live.
//!
//! Everything of a road may be borrowed: only whoever starts a thread says what that thread may hold. So nothing
//! else of the engine knows whether a run is [`Free`] or [`Scoped`].

use std::io;
use std::sync::Arc;
use std::thread::Scope;

use rayon::ThreadPool;

use crate::engine::outlet::remote::Remote;
#[cfg(feature = "stream")]
use crate::engine::outlet::{caller::Aside, poll};
use crate::engine::road::job::Job;
use crate::engine::road::shared::Road;
use crate::engine::road::work::{self, use_ticket};
use crate::engine::seam::{Body, Pool, Receiver, Seam, Threads, Workers, worker_name};

/// Who runs the threads of a run of `J`, whose bodies live for `'a`.
pub(crate) trait Crew<'a, J: Job>: Copy {
    /// Starts a thread of the run.
    fn spawn(self, threads: &Threads, name: String, body: Body<'a>) -> io::Result<()>;

    /// Makes the workers; with them where tickets are waited for, if by threads of the run.
    fn workers(
        self,
        seam: &Seam,
        pool: &Pool,
        threads: &Threads,
    ) -> io::Result<(Workers, Option<Receiver<()>>)>;

    /// Has a worker use the ticket that was taken for it.
    fn call(road: &Arc<Road<J>>);

    /// The run as it is seen from other threads, where it may outlive its caller.
    fn remote(road: &Arc<Road<J>>) -> Option<Arc<dyn Remote>>;

    /// How the threads of a run that is polled are waited for.
    #[cfg(feature = "stream")]
    const ASIDE: Aside<J>;
}

/// The run owns all that it works with: it may outlive whoever started it, and leave a thread behind.
#[derive(Clone, Copy)]
pub(crate) struct Free;

impl<J: Job + 'static> Crew<'static, J> for Free {
    #[cfg(feature = "stream")]
    const ASIDE: Aside<J> = poll::wait_aside;

    fn spawn(self, threads: &Threads, name: String, body: Body<'static>) -> io::Result<()> {
        threads.spawn(name, body)
    }

    fn workers(
        self,
        seam: &Seam,
        pool: &Pool,
        threads: &Threads,
    ) -> io::Result<(Workers, Option<Receiver<()>>)> {
        match (seam, pool) {
            #[cfg(test)]
            (Seam::Shuttle(_) | Seam::Manual(_), Pool::Private(workers)) => Ok(of_the_run(seam, *workers)),
            _ => Ok((Workers::pool(pool, threads)?, None)),
        }
    }

    fn call(road: &Arc<Road<J>>) {
        if let Some(workers) = &road.workers {
            let for_worker = road.clone();
            workers.spawn(move || use_ticket(&for_worker));
        }
    }

    fn remote(road: &Arc<Road<J>>) -> Option<Arc<dyn Remote>> {
        Some(road.clone())
    }
}

/// The run borrows from whoever started it, who waits until it has ended.
#[derive(Clone, Copy)]
pub(crate) struct Scoped<'scope, 'env>(pub(crate) &'scope Scope<'scope, 'env>);

impl<'scope, J: Job + 'scope> Crew<'scope, J> for Scoped<'scope, '_> {
    #[cfg(feature = "stream")]
    const ASIDE: Aside<J> = poll::wait_here;

    fn spawn(self, threads: &Threads, name: String, body: Body<'scope>) -> io::Result<()> {
        threads.spawn_scoped(self.0, name, body)
    }

    fn workers(self, seam: &Seam, pool: &Pool, _: &Threads) -> io::Result<(Workers, Option<Receiver<()>>)> {
        Ok(of_the_run(seam, pool.threads()))
    }

    fn call(road: &Arc<Road<J>>) {
        if let Some(workers) = &road.workers {
            workers.wake_one();
        }
    }

    fn remote(_: &Arc<Road<J>>) -> Option<Arc<dyn Remote>> {
        None
    }
}

fn of_the_run(seam: &Seam, workers: usize) -> (Workers, Option<Receiver<()>>) {
    let (workers, tickets) = Workers::threads(seam, workers);
    (workers, Some(tickets))
}

/// Starts the threads that wait for tickets. A pool of others takes nothing that is borrowed but while somebody
/// waits for it: there each of these threads does.
pub(super) fn start_workers<'a, J: Job + 'a>(
    crew: impl Crew<'a, J>,
    road: &Arc<Road<J>>,
    tickets: &Receiver<()>,
    pool: &Pool,
) -> io::Result<()> {
    for rank in 0..pool.threads() {
        let (road, tickets) = (road.clone(), tickets.clone());
        let threads = road.ledger.threads.clone();
        let outside: Option<Arc<ThreadPool>> = match pool {
            Pool::Outside(pool) => Some(pool.clone()),
            Pool::Private(_) => None,
        };
        let body = move || work::use_tickets(&road, &tickets, outside.as_deref());
        crew.spawn(&threads, worker_name(rank), Box::new(body))?;
    }
    Ok(())
}
