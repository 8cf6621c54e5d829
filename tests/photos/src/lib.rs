//! Photos of every legal layout, each made from a seed.
#![forbid(unsafe_code)]

pub mod gif;
pub mod jpeg;
pub mod random;
pub mod record;
