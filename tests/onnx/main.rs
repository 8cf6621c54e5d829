//! What becomes of a model: folded, fused, mapped, or refused with a reason; and what it then gives.

#[path = "../common/mod.rs"]
mod common;

mod alike;
mod batch;
mod conformance;
mod contrib;
mod data;
// Its photos are read with a package that comes with this feature.
mod edges;
#[cfg(feature = "image")]
mod efficientnet;
mod errors;
mod folded;
mod functions;
mod fused;
mod halves;
mod hostile;
mod items;
mod make;
mod operators;
mod part;
mod plans;
mod quantised;
