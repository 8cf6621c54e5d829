//! Element-wise kernels, reductions and normalisations: every twin against its definition, every shader
//! against its twin.

mod elements;
mod normalisations;
mod order;
pub(crate) mod reductions;
mod rules;
