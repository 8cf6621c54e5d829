//! The real engine under random schedules and under manual time.

mod fake;
mod manual_time;
mod measured;
mod random_schedules;
mod recorded;
mod without_device;
