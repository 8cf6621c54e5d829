//! What the tests of faults and those of endings share: documents that are counted, stages and sources whose
//! code is given at run time, all faces of the crate behind one trait, and the laws of every end.
//!
//! All runs of these tests have one type of document, stage and device, so that the engine is compiled
//! once for each face and not once for each test.

/// Tells a face what every one of them can be told.
macro_rules! set {
    ($face:expr, $setup:ident) => {{
        let mut face = set_but_grace!($face, $setup);
        if let Some(grace) = $setup.grace {
            face = face.grace(grace);
        }
        face
    }};
}

/// The same for a face whose type says whether it has a grace.
macro_rules! set_but_grace {
    ($face:expr, $setup:ident) => {{
        let mut face = $face;
        face = match &$setup.pool {
            Some(pool) => face.pool(pool),
            None => face.workers($setup.workers),
        };
        if let Some(ahead) = $setup.ahead {
            face = face.ahead(ahead);
        }
        if let Some(deadline) = $setup.deadline {
            face = face.deadline(deadline);
        }
        if let Some(patience) = $setup.patience {
            face = face.watchdog(patience, gapless::Watchdog::End).on_stall(|_| ());
        }
        face
    }};
}

pub(crate) mod executor;
pub(crate) mod face;
mod face_batches;
mod face_embed;
mod face_items;
mod face_served;
mod face_whole;
pub(crate) mod laws;
pub(crate) mod plain;
pub(crate) mod process;
pub(crate) mod stages;
pub(crate) mod world;
