//! Memory of results that were dropped, for results to come.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A bounded store of vectors. Fresh memory costs a page fault every 4 KiB, which for large results is
/// more than the copy.
#[derive(Debug)]
pub(super) struct Shelf {
    spare: Mutex<Vec<Vec<f32>>>,
    most: usize,
}

impl Shelf {
    /// A shelf for at most `most` vectors.
    pub(super) fn new(most: usize) -> Self {
        Self { spare: Mutex::new(Vec::with_capacity(most)), most }
    }

    /// An empty vector with room for `len` values.
    pub(super) fn take(&self, len: usize) -> Vec<f32> {
        let mut spare = self.spare();
        let fits = (0..spare.len()).filter(|&index| spare[index].capacity() >= len);
        match fits.min_by_key(|&index| spare[index].capacity()) {
            Some(index) => spare.swap_remove(index),
            None => Vec::with_capacity(len),
        }
    }

    /// Keeps a vector, in place of the smallest if the shelf is full.
    pub(super) fn give(&self, mut vector: Vec<f32>) {
        vector.clear();
        let mut spare = self.spare();
        if spare.len() < self.most {
            spare.push(vector);
        } else if let Some(smallest) = spare.iter_mut().min_by_key(|spare| spare.capacity())
            && smallest.capacity() < vector.capacity()
        {
            *smallest = vector;
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<f32>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_that_was_given_is_taken_again() {
        let shelf = Shelf::new(1);
        let mut vector = shelf.take(100);
        vector.push(1.0);
        let memory = vector.as_ptr();
        shelf.give(vector);
        let again = shelf.take(50);
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
    }

    #[test]
    fn a_full_shelf_keeps_the_largest() {
        let shelf = Shelf::new(1);
        for len in [8, 16, 4] {
            shelf.give(Vec::with_capacity(len));
        }
        let kept: Vec<usize> = shelf.spare().iter().map(Vec::capacity).collect();
        assert_eq!(kept, [16]);
    }

    #[test]
    fn the_smallest_memory_that_fits_is_taken() {
        let shelf = Shelf::new(3);
        for len in [32, 8, 16] {
            shelf.give(Vec::with_capacity(len));
        }
        assert_eq!(shelf.take(10).capacity(), 16);
    }
}
