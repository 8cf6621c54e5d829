//! What the tests of faults and those of endings share: documents that are counted, stages and sources whose
//! code is given at run time, all faces of the crate behind one trait, and the laws of every end.
//!
//! All runs of these tests have one type of document, stage and device, so that the engine is compiled
//! once for each face and not once for each test.

pub(crate) mod executor;
pub(crate) mod face;
mod face_batches;
mod face_items;
mod face_whole;
pub(crate) mod laws;
pub(crate) mod plain;
pub(crate) mod process;
pub(crate) mod stages;
pub(crate) mod world;
