//! How far a run has come.

use std::time::Duration;

use super::Ledger;
use crate::engine::seam::Moment;
use crate::observe::progress::Progress;

impl Ledger {
    /// Time since the run started, up to its end.
    pub(crate) fn elapsed(&self) -> Duration {
        self.meters.ended.get().unwrap_or_else(|| self.now()).since(Moment::ZERO)
    }

    pub(crate) fn progress(&self) -> Progress {
        let accounts = self.books.accounts();
        let (meters, devices, elapsed) = (&self.meters, &self.facts.devices, self.elapsed());
        let share = |busy: Duration, of: usize| match elapsed.as_secs_f64() * of as f64 {
            0.0 => 0.0,
            all => (busy.as_secs_f64() / all).min(1.0),
        };
        let on_devices = devices.iter().map(|device| device.busy.get()).sum();
        let progress = Progress {
            delivered: accounts.delivered,
            failed: accounts.failed,
            in_flight: accounts.in_flight(),
            total: self.facts.total,
            elapsed,
            cpu_busy: share(meters.prepare.get() + meters.then.get(), self.facts.workers.max(1)),
            device_busy: (!devices.is_empty()).then(|| share(on_devices, devices.len())),
            in_line: self.in_line(),
            tokens: self.tokens.bounded(),
            ..Progress::default()
        };
        progress.paced()
    }
}
