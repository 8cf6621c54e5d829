//! The GPU half on a device: which there are, what a program gives, and what becomes of a lost one.

#[path = "../common/mod.rs"]
mod common;

mod device_loss;
mod device_rebuilt;
mod devices;
mod gpu;
mod kept;
mod laws;
mod network;
mod program;
mod toy;
