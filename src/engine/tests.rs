//! The real engine under random schedules and under manual time.

mod accounted;
mod choosing;
mod fake;
mod manual_time;
mod measured;
mod outcome;
#[cfg(feature = "stream")]
mod polled;
mod predicted;
mod promised;
mod random_schedules;
mod recorded;
mod shown;
mod stalls;
mod without_device;
