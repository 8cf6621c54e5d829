//! Where requests stand until the feeder takes them: a bounded queue that knows its end.
//!
//! Whether it has ended is decided under its lock, with what stands in it: so no request can be put behind the last
//! look at it, and each that is here at the end is dropped there, which answers it with its document. A channel whose
//! receiver is gone keeps what was sent meanwhile until its last sender goes.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use super::answer::Request;
use crate::engine::outlet::yielding;
use crate::pipeline::guard;

pub(super) struct Inbox<D, U> {
    most: usize,
    state: Mutex<State<D, U>>,
    /// A request was put here, or none will be.
    request_there: Condvar,
    /// A request was taken from here, or none is taken any more.
    room_there: Condvar,
}

struct State<D, U> {
    requests: VecDeque<Request<D, U>>,
    /// Tasks that wait for room, by the numbers of their requests.
    waiting: HashMap<u64, Waker>,
    submitters: usize,
    ended: bool,
}

/// Why a request could not be put here.
pub(super) enum Refused<D, U> {
    Full(Request<D, U>),
    Ended(Request<D, U>),
}

impl<D, U> Inbox<D, U> {
    /// For so many requests, with one submitter.
    pub(super) fn new(most: usize) -> Self {
        let state = State { requests: VecDeque::new(), waiting: HashMap::new(), submitters: 1, ended: false };
        Self { most, state: Mutex::new(state), request_there: Condvar::new(), room_there: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State<D, U>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().requests.len()
    }

    pub(super) fn try_put(&self, request: Request<D, U>) -> Result<(), Refused<D, U>> {
        self.put_into(&mut self.lock(), request)
    }

    fn put_into(&self, state: &mut State<D, U>, request: Request<D, U>) -> Result<(), Refused<D, U>> {
        if state.ended {
            return Err(Refused::Ended(request));
        }
        if state.requests.len() >= self.most {
            return Err(Refused::Full(request));
        }
        state.requests.push_back(request);
        self.request_there.notify_one();
        Ok(())
    }

    /// Puts a request here as soon as there is room; gives it back where none is taken any more.
    pub(super) fn put(&self, request: Request<D, U>) -> Result<(), Request<D, U>> {
        let mut waits = Some(request);
        yielding::until(|wait| {
            let mut state = self.lock();
            match self.put_into(&mut state, waits.take()?) {
                Ok(()) => Some(Ok(())),
                Err(Refused::Ended(request)) => Some(Err(request)),
                Err(Refused::Full(request)) => {
                    waits = Some(request);
                    drop(self.wait_for_room(state, wait));
                    None
                }
            }
        })
    }

    fn wait_for_room<'a>(
        &self,
        state: MutexGuard<'a, State<D, U>>,
        wait: Option<Duration>,
    ) -> MutexGuard<'a, State<D, U>> {
        match wait {
            Some(time) => self.room_there.wait_timeout(state, time).unwrap_or_else(PoisonError::into_inner).0,
            None => self.room_there.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// As `try_put`, for a task, which is woken when there may be room.
    pub(super) fn put_or_wake(&self, request: Request<D, U>, waker: &Waker) -> Result<(), Refused<D, U>> {
        // Cloned and dropped without the lock: both are code of the executor.
        let (number, new) = (request.number(), waker.clone());
        let mut state = self.lock();
        let put = self.put_into(&mut state, request);
        let old = match &put {
            Err(Refused::Full(_)) => state.waiting.insert(number, new),
            _ => state.waiting.remove(&number),
        };
        drop(state);
        drop(old);
        put
    }

    /// The task of this request waits no more.
    pub(super) fn leave(&self, number: u64) {
        let waker = self.lock().waiting.remove(&number);
        drop(waker);
    }

    /// The next request; waits for one, and is `None` where none will come.
    pub(super) fn take(&self) -> Option<Request<D, U>> {
        let mut state = self.lock();
        loop {
            if let Some(request) = state.requests.pop_front() {
                // All of them look again: any may have been given up, and a wake that went to it would be lost.
                let waiting = std::mem::take(&mut state.waiting);
                drop(state);
                self.room_there.notify_one();
                wake(waiting);
                return Some(request);
            }
            if state.ended || state.submitters == 0 {
                return None;
            }
            state = self.request_there.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// No request is taken any more: those that stand here are answered with their documents.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let requests = std::mem::take(&mut state.requests);
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.request_there.notify_all();
        self.room_there.notify_all();
        requests.into_iter().for_each(drop);
        wake(waiting);
    }

    pub(super) fn one_more_submitter(&self) {
        self.lock().submitters += 1;
    }

    pub(super) fn one_submitter_less(&self) {
        self.lock().submitters -= 1;
        self.request_there.notify_all();
    }
}

fn wake(waiting: HashMap<u64, Waker>) {
    for waker in waiting.into_values() {
        let _woken = guard(|| waker.wake());
    }
}
