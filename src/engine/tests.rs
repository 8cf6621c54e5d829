//! The real engine under random schedules and under manual time.

mod accounted;
mod choosing;
mod fake;
mod fake_cpu;
mod latency;
mod manual_time;
mod measured;
mod outcome;
mod planted;
mod planted_in_time;
#[cfg(feature = "stream")]
mod polled;
mod predicted;
mod promised;
mod random_schedules;
mod recorded;
mod schedules;
mod shown;
mod stalls;
mod truthful;
mod without_device;
