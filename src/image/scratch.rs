//! Memory that outlives a photo: scratch of a call, and tensors that came back.
//!
//! A lock is held to take one out or put one back, never while a photo is read or decoded.

use std::sync::{Mutex, PoisonError};

use fast_image_resize::Resizer;
use ndarray::Array3;

/// What one call works with, used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    /// The file.
    pub(crate) file: Vec<u8>,
    /// Decoded pixels, as stored.
    pub(crate) pixels: Vec<u8>,
    /// Resized pixels that are not yet what the tensor holds.
    pub(crate) resized: Vec<u8>,
    pub(crate) resizer: Resizer,
}

/// A buffer larger than this is given back to the system after its photo.
const KEPT: usize = 8 << 20;

impl Scratch {
    fn trim(&mut self) {
        for buffer in [&mut self.file, &mut self.pixels, &mut self.resized] {
            if buffer.capacity() > KEPT {
                *buffer = Vec::new();
            }
        }
        if self.resizer.size_of_internal_buffers() > KEPT {
            self.resizer.reset_internal_buffers();
        }
    }
}

/// Things that are used again, at most so many.
#[derive(Debug)]
pub(crate) struct Pool<T> {
    free: Mutex<Vec<T>>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { free: Mutex::new(Vec::new()) }
    }
}

impl<T> Pool<T> {
    fn with<R>(&self, change: impl FnOnce(&mut Vec<T>) -> R) -> R {
        change(&mut self.free.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn take(&self) -> Option<T> {
        self.with(Vec::pop)
    }

    /// Keeps it unless `most` are there; what is not kept is dropped outside the lock.
    fn put(&self, used: T, most: usize) -> Option<T> {
        self.with(|free| {
            if free.len() >= most {
                return Some(used);
            }
            free.push(used);
            None
        })
    }
}

impl Pool<Scratch> {
    /// Lends scratch to `work`; there are as many as calls ran at once. A panic loses its scratch.
    pub(crate) fn lend<R>(&self, work: impl FnOnce(&mut Scratch) -> R) -> R {
        let mut scratch = self.take().unwrap_or_default();
        let result = work(&mut scratch);
        scratch.trim();
        self.put(scratch, usize::MAX);
        result
    }
}

impl Pool<Array3<u8>> {
    /// A tensor of this shape, with whatever was in it before.
    pub(crate) fn tensor(&self, shape: (usize, usize, usize)) -> Array3<u8> {
        self.take().unwrap_or_else(|| Array3::zeros(shape))
    }

    /// Keeps a tensor unless its shape is another or `most` are kept.
    pub(crate) fn keep(&self, used: Array3<u8>, shape: (usize, usize, usize), most: usize) {
        if used.dim() == shape && used.is_standard_layout() {
            drop(self.put(used, most));
        }
    }
}
