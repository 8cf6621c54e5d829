//! Threads of the seam: started by name, and joined for a limited time.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::Scope;
use std::time::Duration;

use super::{Alarm, Condvar, Moment, Mutex, Seam};

/// Bytes of stack where nothing else is said: what a program's first thread has as a rule, so that what works in the
/// caller works in a worker. Memory is taken as it is used.
pub(crate) const STACK: usize = 8 << 20;

/// What a thread does. It is boxed, so that starting a thread is compiled once and not for each of them.
pub(crate) type Body<'a> = Box<dyn FnOnce() + Send + 'a>;

/// The threads of one run.
///
/// A thread whose user code never returns cannot be joined: after the grace period it is left behind.
#[derive(Clone)]
pub(crate) struct Threads(Arc<Inner>);

struct Inner {
    seam: Seam,
    /// Bytes of stack of each; 0 is what the standard library takes.
    stack: usize,
    running: Mutex<Vec<Arc<str>>>,
    ended: Condvar,
    handles: Mutex<Vec<(Arc<str>, Handle)>>,
    /// Told of every end, and of other news.
    alarm: Alarm,
}

enum Handle {
    Real(std::thread::JoinHandle<()>),
    #[cfg(test)]
    Shuttle(shuttle::thread::JoinHandle<()>),
}

impl Handle {
    fn join(self) {
        // The body of every thread catches what user code throws; a panic here is a bug of ours that
        // has already been printed, and the accounts show it.
        match self {
            Self::Real(handle) => drop(handle.join()),
            #[cfg(test)]
            Self::Shuttle(handle) => drop(handle.join()),
        }
    }
}

impl Threads {
    pub(crate) fn new(seam: &Seam, stack: usize) -> Self {
        Self(Arc::new(Inner {
            seam: seam.clone(),
            stack,
            running: seam.mutex(Vec::new()),
            ended: seam.condvar(),
            handles: seam.mutex(Vec::new()),
            alarm: Alarm::new(seam),
        }))
    }

    /// Starts a thread; its name is shown by debuggers and in the report.
    pub(crate) fn spawn(&self, name: String, body: Body<'static>) -> io::Result<()> {
        let (name, ended) = self.begins(name);
        let handle = start(&self.0.seam, &name, self.0.stack, Box::new(move || ended.after(body)))?;
        self.0.handles.lock().push((name, handle));
        Ok(())
    }

    /// Starts a thread within a scope, which joins it: its body may borrow what outlives the scope.
    pub(crate) fn spawn_scoped<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        name: String,
        body: Body<'scope>,
    ) -> io::Result<()> {
        let (name, ended) = self.begins(name);
        let builder = builder(&name, self.0.stack);
        builder.spawn_scoped(scope, move || ended.after(body)).map(drop)
    }

    fn begins(&self, name: String) -> (Arc<str>, Ended) {
        let name: Arc<str> = name.into();
        self.0.running.lock().push(name.clone());
        (name.clone(), Ended { threads: self.clone(), name })
    }

    /// Waits until all threads but those named in `except` have ended, for at most `grace`.
    ///
    /// `idle` is called between waits and says for how long the next may last: a caller that is a
    /// worker of a pool gives its pool a turn there. Returns the names of those left behind.
    pub(crate) fn join(&self, grace: Duration, mut idle: impl FnMut() -> Duration) -> Vec<String> {
        let deadline: Moment = self.0.seam.now().plus(grace);
        loop {
            let slice = idle();
            let running = self.0.running.lock();
            if running.is_empty() {
                break;
            }
            let left = deadline.since(self.0.seam.now());
            if left.is_zero() {
                break;
            }
            drop(self.0.ended.wait_timeout(running, &self.0.running, left.min(slice)));
        }
        self.take_down()
    }

    fn take_down(&self) -> Vec<String> {
        let behind = self.0.running.lock().clone();
        for (name, handle) in std::mem::take(&mut *self.0.handles.lock()) {
            if !behind.contains(&name) {
                handle.join();
            }
        }
        behind.iter().map(ToString::to_string).collect()
    }

    fn end(&self, name: &Arc<str>) {
        let mut running = self.0.running.lock();
        if let Some(index) = running.iter().position(|other| Arc::ptr_eq(other, name)) {
            running.swap_remove(index);
        }
        drop(running);
        self.0.ended.notify_all();
        self.0.alarm.ring();
    }

    /// What is told when there may be news for the caller.
    pub(crate) fn alarm(&self) -> &Alarm {
        &self.0.alarm
    }

    /// No longer waits for this thread: it ends by itself, later.
    pub(crate) fn leave(&self, name: &str) {
        let mut running = self.0.running.lock();
        let left = running.iter().position(|other| **other == *name).map(|index| running.swap_remove(index));
        drop(running);
        if let Some(name) = left {
            self.0.handles.lock().retain(|(other, _)| !Arc::ptr_eq(other, &name));
        }
    }
}

/// Starts a thread of this program that belongs to no run and is never joined.
pub(crate) fn spawn_aside(name: &str, stack: usize, body: Body<'static>) -> io::Result<()> {
    real(name, stack, body).map(drop)
}

/// Starts a thread of a run that nobody joins: its body ends by itself, soon after the run.
#[cfg(feature = "stream")]
pub(crate) fn spawn_unjoined(seam: &Seam, name: &str, stack: usize, body: Body<'static>) -> io::Result<()> {
    start(seam, name, stack, body).map(drop)
}

fn start(seam: &Seam, name: &str, stack: usize, body: Body<'static>) -> io::Result<Handle> {
    match seam {
        Seam::Real { .. } => real(name, stack, body).map(Handle::Real),
        #[cfg(test)]
        Seam::Manual(world) => {
            let thread = world.enter();
            let body = move || {
                let _thread = thread;
                body();
            };
            real(name, stack, Box::new(body)).map(Handle::Real)
        }
        #[cfg(test)]
        Seam::Shuttle(_) => Ok(Handle::Shuttle(shuttle::thread::spawn(body))),
    }
}

fn real(name: &str, stack: usize, body: Body<'static>) -> io::Result<std::thread::JoinHandle<()>> {
    builder(name, stack).spawn(body)
}

fn builder(name: &str, stack: usize) -> std::thread::Builder {
    let builder = std::thread::Builder::new().name(name.to_owned());
    if stack > 0 { builder.stack_size(stack) } else { builder }
}

/// Number of this thread, from 1: no other thread of this program ever has it. It costs no look at the thread's
/// handle.
pub(crate) fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.with(|number| *number)
}

/// Marks a thread as ended when its body returns or unwinds.
struct Ended {
    threads: Threads,
    name: Arc<str>,
}

impl Ended {
    fn after(self, body: Body<'_>) {
        body();
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.threads.end(&self.name);
    }
}
