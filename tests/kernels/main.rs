//! Kernels: every twin against its definition, and every shader on a device against its twin.

#[path = "../common/mod.rs"]
mod common;

mod arithmetic;
mod attention;
mod chains;
mod check;
mod forced;
mod guarded;
mod halves;
mod halves_kept;
mod halves_on_device;
mod i8;
mod ints;
mod joined;
mod kernels_on_device;
mod long_sums_of_twins;
mod movement_on_device;
mod movement_twins;
mod near;
mod numbers;
mod parts;
mod pinned;
mod planes_on_device;
mod planes_twins;
mod precision_on_device;
mod products;
mod products_on_device;
mod resize;
mod rounds_on_device;
mod rows_on_device;
mod same;
mod settings;
mod submissions;
mod twins;
mod variants;
