//! Bounded channels of the seam: crossbeam's, or a queue under the lock of a test's seam.

use std::time::Duration;
#[cfg(test)]
use {
    super::{Condvar, Mutex},
    std::collections::VecDeque,
    std::sync::Arc,
};

use super::Seam;

/// Every sender is gone and the channel is empty.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Disconnected;

pub(crate) enum Sender<T> {
    Real(crossbeam_channel::Sender<T>),
    #[cfg(test)]
    Test(Arc<Queue<T>>),
}

pub(crate) enum Receiver<T> {
    Real(crossbeam_channel::Receiver<T>),
    #[cfg(test)]
    Test(Arc<Queue<T>>, Seam),
}

pub(super) fn channel<T>(seam: &Seam, capacity: usize) -> (Sender<T>, Receiver<T>) {
    match seam {
        Seam::Real { .. } => {
            let (sender, receiver) = real(capacity);
            (Sender::Real(sender), Receiver::Real(receiver))
        }
        #[cfg(test)]
        Seam::Shuttle(_) | Seam::Manual(_) => {
            let queue = Arc::new(Queue::new(seam, capacity));
            (Sender::Test(queue.clone()), Receiver::Test(queue, seam.clone()))
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the tokens bound it: no more messages exist than `capacity`")]
fn real<T>(capacity: usize) -> (crossbeam_channel::Sender<T>, crossbeam_channel::Receiver<T>) {
    if capacity <= super::ALLOCATED {
        crossbeam_channel::bounded(capacity)
    } else {
        crossbeam_channel::unbounded()
    }
}

impl<T> Sender<T> {
    /// Sends without waiting; gives the message back where nobody can receive it any more.
    pub(crate) fn send(&self, message: T) -> Result<(), T> {
        match self {
            Self::Real(sender) => sender.try_send(message).map_err(|error| {
                debug_assert!(error.is_disconnected(), "a channel is as long as its tokens allow");
                error.into_inner()
            }),
            #[cfg(test)]
            Self::Test(queue) => {
                // A real one takes a place in one step.
                super::atomics::count_change();
                queue.send(message)
            }
        }
    }
}

fn look<T>(receiver: &crossbeam_channel::Receiver<T>) -> Option<Result<T, Disconnected>> {
    for _ in 0..super::LOOKS {
        if let Ok(message) = receiver.try_recv() {
            return Some(Ok(message));
        }
        std::thread::yield_now();
    }
    None
}

impl<T> Receiver<T> {
    /// Waits for a message.
    pub(crate) fn recv(&self) -> Result<T, Disconnected> {
        match self {
            Self::Real(receiver) => {
                look(receiver).unwrap_or_else(|| receiver.recv().map_err(|_| Disconnected))
            }
            #[cfg(test)]
            Self::Test(queue, _) => queue.recv(),
        }
    }

    /// Waits for a message for at most `wait`; `None` where none came.
    pub(crate) fn recv_timeout(&self, wait: Duration) -> Result<Option<T>, Disconnected> {
        match self {
            Self::Real(receiver) => match receiver.recv_timeout(wait) {
                Ok(message) => Ok(Some(message)),
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => Ok(None),
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => Err(Disconnected),
            },
            #[cfg(test)]
            Self::Test(queue, seam) => queue.recv_timeout(seam, wait),
        }
    }

    /// A message that is there already.
    pub(crate) fn try_recv(&self) -> Result<Option<T>, Disconnected> {
        match self {
            Self::Real(receiver) => match receiver.try_recv() {
                Ok(message) => Ok(Some(message)),
                Err(crossbeam_channel::TryRecvError::Empty) => Ok(None),
                Err(crossbeam_channel::TryRecvError::Disconnected) => Err(Disconnected),
            },
            #[cfg(test)]
            Self::Test(queue, _) => {
                let popped = queue.state.lock().pop();
                if let Ok(Some(_)) = popped {
                    super::atomics::count_change();
                }
                popped
            }
        }
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Real(sender) => Self::Real(sender.clone()),
            #[cfg(test)]
            Self::Test(queue) => {
                queue.state.lock().senders += 1;
                Self::Test(queue.clone())
            }
        }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Real(receiver) => Self::Real(receiver.clone()),
            #[cfg(test)]
            Self::Test(queue, seam) => {
                queue.state.lock().receivers += 1;
                Self::Test(queue.clone(), seam.clone())
            }
        }
    }
}

#[cfg(test)]
impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Self::Test(queue) = self {
            queue.state.lock().senders -= 1;
            queue.ready.notify_all();
        }
    }
}

#[cfg(test)]
impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Self::Test(queue, _) = self {
            let mut state = queue.state.lock();
            state.receivers -= 1;
            let left =
                if state.receivers == 0 { std::mem::take(&mut state.messages) } else { VecDeque::new() };
            drop(state);
            drop(left);
        }
    }
}

#[cfg(test)]
pub(crate) struct Queue<T> {
    state: Mutex<QueueState<T>>,
    ready: Condvar,
}

#[cfg(test)]
struct QueueState<T> {
    messages: VecDeque<T>,
    capacity: usize,
    senders: usize,
    receivers: usize,
}

#[cfg(test)]
impl<T> QueueState<T> {
    fn pop(&mut self) -> Result<Option<T>, Disconnected> {
        match self.messages.pop_front() {
            Some(message) => Ok(Some(message)),
            None if self.senders == 0 => Err(Disconnected),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
impl<T> Queue<T> {
    fn new(seam: &Seam, capacity: usize) -> Self {
        let state = QueueState { messages: VecDeque::new(), capacity, senders: 1, receivers: 1 };
        // Channels of real runs take no lock where something is there: a lock of this one does not count as one.
        let state = if let Seam::Manual(_) = seam { Mutex::real(state) } else { seam.mutex(state) };
        Self { state, ready: seam.condvar() }
    }

    fn send(&self, message: T) -> Result<(), T> {
        let mut state = self.state.lock();
        if state.receivers == 0 {
            return Err(message);
        }
        assert!(state.messages.len() < state.capacity, "a channel is as long as its tokens allow");
        state.messages.push_back(message);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    fn recv(&self) -> Result<T, Disconnected> {
        let mut state = self.state.lock();
        loop {
            match state.pop()? {
                Some(message) => return Ok(message),
                None => state = self.ready.wait(state, &self.state),
            }
        }
    }

    /// One timed wait: under random schedules it ends either way.
    fn recv_timeout(&self, seam: &Seam, wait: Duration) -> Result<Option<T>, Disconnected> {
        let deadline = seam.now().plus(wait);
        let mut state = self.state.lock();
        loop {
            match state.pop()? {
                Some(message) => return Ok(Some(message)),
                None if matches!(seam, Seam::Shuttle(_)) => {
                    state = self.ready.wait_timeout(state, &self.state, wait);
                    return state.pop();
                }
                None if seam.now() >= deadline => return Ok(None),
                None => state = self.ready.wait_timeout(state, &self.state, deadline.since(seam.now())),
            }
        }
    }
}
