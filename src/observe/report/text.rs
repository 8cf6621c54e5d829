//! The report as text, for people.

use std::fmt;

use super::{DeviceReport, KernelReport, Report};
use crate::observe::accounts::Accounts;
use crate::observe::bound::Bottleneck;
use crate::observe::changes::Change;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:.3} s = {:.3} fill + {:.3} busy ({}) + {:.3} stalls + {:.3} drain; bound {:.3} s, {:.1} % above it",
            self.wall_s,
            self.fill_s,
            self.busy_s,
            self.bottleneck,
            self.stalls_s,
            self.drain_s,
            self.bound_s,
            self.above_bound_percent
        )?;
        writeln!(
            f,
            "  CPU    {} workers busy {:.0} %, {} items prepared, first result after {:.3} s",
            self.cpu.workers,
            self.cpu.busy * 100.0,
            self.cpu.prepared,
            self.first_result_s
        )?;
        for device in &self.devices {
            writeln!(f, "  {device}")?;
        }
        writeln!(
            f,
            "  waits  device for batch {:.3} s, feeder for token {:.3} s, feeder in source {:.3} s, caller for result {:.3} s",
            self.waits.device_for_batch_s,
            self.waits.feeder_for_token_s,
            self.waits.feeder_in_source_s,
            self.waits.caller_for_result_s
        )?;
        let Accounts { pulled, delivered, failed, cancelled, stuck, .. } = self.accounts;
        writeln!(
            f,
            "  items  {pulled} pulled = {delivered} delivered + {failed} failed + {cancelled} cancelled + {stuck} stuck; \
             at most {}{} in flight",
            self.peak_in_flight,
            self.tokens.map(|tokens| format!(" of {tokens} tokens")).unwrap_or_default()
        )?;
        for thread in &self.left_behind {
            writeln!(f, "  left behind: {thread}, since user code did not return")?;
        }
        if !self.changes.is_empty() {
            writeln!(f, "  if     {}", Changes(&self.changes))?;
        }
        write!(f, "  {}", self.advice)
    }
}

impl fmt::Display for DeviceReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "GPU    {} ({}) busy {:.0} %, {} batches, {} items, starved {:.3} s, depth {}{}",
            self.name,
            self.kind,
            self.busy * 100.0,
            self.batches,
            self.items,
            self.starved_s,
            self.depth,
            Losses(self)
        )?;
        let Some(device_s) = self.device_s else { return Ok(()) };
        write!(f, "\n  clock  the device worked {device_s:.3} s by its own clock{}", Most(&self.kernels))
    }
}

/// What one change each would bring.
struct Changes<'a>(&'a [Change]);

impl fmt::Display for Changes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, Change { what, seconds, .. }) in self.0.iter().enumerate() {
            let lead = if place == 0 { "" } else { ", " };
            write!(f, "{lead}{what} {seconds:.3} s")?;
        }
        Ok(())
    }
}

/// The kernels that take most of a device's time: nothing, where none was timed.
struct Most<'a>(&'a [KernelReport]);

impl fmt::Display for Most<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut kernels: Vec<&KernelReport> = self.0.iter().collect();
        kernels.sort_by(|a, b| b.share.total_cmp(&a.share));
        for (place, KernelReport { name, share, .. }) in kernels.iter().take(3).enumerate() {
            let lead = if place == 0 { "; most in " } else { ", " };
            write!(f, "{lead}{name} {:.0} %", share * 100.0)?;
        }
        Ok(())
    }
}

/// What a device's line says of its losses: nothing, where there were none.
struct Losses<'a>(&'a DeviceReport);

impl fmt::Display for Losses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.losses {
            0 => Ok(()),
            losses => write!(f, ", lost {losses} ×, {:.3} s of rebuilding", self.0.rebuilding_s),
        }
    }
}

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Source => "source",
            Self::Caller => "caller",
        })
    }
}
