//! The real engine under random schedules and under manual time.

mod fake;
mod manual_time;
mod predicted;
mod promised;
mod random_schedules;
mod without_device;
