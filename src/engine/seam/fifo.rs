//! Values that stand in a line: put in and taken out without a lock, and waited for by nobody here.

use crossbeam_queue::{ArrayQueue, SegQueue};
#[cfg(test)]
use {super::Mutex, std::collections::VecDeque};

use super::Seam;

pub(crate) enum Fifo<T> {
    /// Its memory is taken when it is made.
    Short(ArrayQueue<T>),
    Long(SegQueue<T>),
    #[cfg(test)]
    Test(Mutex<VecDeque<T>>, usize),
}

impl<T> Fifo<T> {
    /// For at most so many values.
    pub(super) fn new(seam: &Seam, most: usize) -> Self {
        match seam {
            Seam::Real { .. } if most <= super::ALLOCATED => Self::Short(ArrayQueue::new(most)),
            Seam::Real { .. } => Self::Long(SegQueue::new()),
            #[cfg(test)]
            // A real one takes no lock: this one does not count as one.
            Seam::Manual(_) => Self::Test(Mutex::real(VecDeque::new()), most),
            #[cfg(test)]
            Seam::Shuttle(_) => Self::Test(seam.mutex(VecDeque::new()), most),
        }
    }

    /// Puts it behind the others.
    pub(crate) fn push(&self, value: T) {
        match self {
            Self::Short(queue) => {
                let put = queue.push(value);
                debug_assert!(put.is_ok(), "a line is as long as its tokens");
            }
            Self::Long(queue) => queue.push(value),
            #[cfg(test)]
            Self::Test(queue, most) => {
                super::atomics::count_change();
                let mut queue = queue.lock();
                assert!(queue.len() < *most, "a line is as long as its tokens");
                queue.push_back(value);
            }
        }
    }

    pub(crate) fn pop(&self) -> Option<T> {
        match self {
            Self::Short(queue) => queue.pop(),
            Self::Long(queue) => queue.pop(),
            #[cfg(test)]
            Self::Test(queue, _) => queue.lock().pop_front().inspect(|_| super::atomics::count_change()),
        }
    }
}
