//! Memory that outlives a photo: scratch of a call, and tensors that came back.
//!
//! A lock is held to take one out or put one back, never while a photo is read or decoded.

use std::sync::{Mutex, PoisonError};

use gapless_resize::Resizer;
use ndarray::Array3;

use crate::error::Cause;

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

impl Scratch {
    /// Keeps at most so many bytes; where a photo needed more, they all go back to the system.
    fn trim(&mut self, most: usize) {
        let Self { file, pixels, resized, resizer } = self;
        let held = [file, pixels, resized].iter().map(|buffer| buffer.capacity()).sum::<usize>();
        if held + resizer.size_of_internal_buffers() > most {
            *self = Self::default();
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

/// A clone has nothing yet: what is used again stays where it was used.
impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self::default()
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
    /// Lends scratch to `work`; there are as many as calls ran at once, each of at most `most` bytes
    /// afterwards. A panic loses its scratch.
    pub(crate) fn lend<R>(&self, most: usize, work: impl FnOnce(&mut Scratch) -> R) -> R {
        let mut scratch = self.take().unwrap_or_default();
        let result = work(&mut scratch);
        scratch.trim(most);
        self.put(scratch, usize::MAX);
        result
    }
}

impl Pool<Array3<u8>> {
    /// A tensor of this shape, with whatever was in it before.
    pub(crate) fn tensor(&self, shape: (usize, usize, usize)) -> Result<Array3<u8>, Cause> {
        self.take().map_or_else(|| black(shape), Ok)
    }

    /// Keeps a tensor unless its shape is another or `most` are kept.
    pub(crate) fn keep(&self, used: Array3<u8>, shape: (usize, usize, usize), most: usize) {
        if used.dim() == shape && used.is_standard_layout() {
            drop(self.put(used, most));
        }
    }
}

/// Memory that is not there is an error here, where `Array3::zeros` ends the process.
pub(crate) fn black(shape: (usize, usize, usize)) -> Result<Array3<u8>, Cause> {
    let mut values = Vec::new();
    grow(&mut values, shape.0 * shape.1 * shape.2)?;
    Ok(Array3::from_shape_vec(shape, values)?)
}

/// Makes the buffer so long, with whatever was in it before.
pub(crate) fn grow(buffer: &mut Vec<u8>, length: usize) -> Result<(), Cause> {
    buffer.try_reserve_exact(length.saturating_sub(buffer.len()))?;
    buffer.resize(length, 0);
    Ok(())
}
