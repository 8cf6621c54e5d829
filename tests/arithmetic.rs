//! Element-wise kernels, reductions and normalisations: every twin against its definition, every shader
//! against its twin.

mod common;

#[path = "arithmetic/check.rs"]
mod check;
#[path = "arithmetic/elements.rs"]
mod elements;
#[path = "arithmetic/normalisations.rs"]
mod normalisations;
#[path = "arithmetic/order.rs"]
mod order;
#[path = "arithmetic/reductions.rs"]
mod reductions;
#[path = "arithmetic/rules.rs"]
mod rules;
