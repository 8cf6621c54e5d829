//! The real engine under random schedules and under manual time.

mod fake;
mod manual_time;
mod random_schedules;
mod shown;
mod stalls;
mod without_device;
