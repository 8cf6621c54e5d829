//! The report as text, for people.

use std::fmt;

use super::{DeviceReport, KernelReport, Report, Times};
use crate::observe::accounts::Accounts;
use crate::observe::bound::Bottleneck;
use crate::observe::changes::Change;
use crate::observe::stalls::{Stall, Stalls};

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
        if self.cpu.prepared > 0 {
            writeln!(f, "  times  p50 / p90 / p99: {}", Spread(self))?;
        }
        let Accounts { pulled, delivered, failed, cancelled, stuck, .. } = self.accounts;
        writeln!(
            f,
            "  items  {pulled} pulled = {delivered} delivered + {failed} failed + {cancelled} cancelled + {stuck} stuck; \
             at most {}{} in flight{}",
            self.peak_in_flight,
            self.tokens.map(|tokens| format!(" of {tokens} tokens")).unwrap_or_default(),
            self.peak_resident_bytes
                .map(|bytes| format!("; the process held {} MiB", bytes >> 20))
                .unwrap_or_default()
        )?;
        for decision in &self.decisions {
            writeln!(f, "  {decision}")?;
        }
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
        if self.stalls.iter().any(|(_, stall)| stall.seconds >= 0.001) {
            write!(f, "\n  stalls it had no batch, since it waited for {}", Causes(&self.stalls))?;
        }
        write!(
            f,
            "\n  host   {:.3} s in submit, {:.3} s in try_collect{}",
            self.submit_s,
            self.collect_s,
            Bytes(self)
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

/// Each stage that was measured, with its distribution.
struct Spread<'a>(&'a Report);

impl fmt::Display for Spread<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Times { source, prepare, then, caller } = &self.0.times;
        let batches = self.0.devices.iter().map(|device| ("a batch", &device.batch));
        let stages = [("an item's source", source), ("prepare", prepare)].into_iter().chain(batches);
        let stages = stages.chain([("then", then), ("caller", caller)]);
        for (place, (name, of)) in stages.filter(|(_, of)| of.count > 0).enumerate() {
            let lead = if place == 0 { "" } else { "; " };
            write!(f, "{lead}{name} {} / {} / {}", Short(of.p50_s), Short(of.p90_s), Short(of.p99_s))?;
        }
        Ok(())
    }
}

/// Seconds in three digits, in the unit in which they are read best.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, unit) = match self.0 {
            time if time < 1e-6 => (time * 1e9, "ns"),
            time if time < 1e-3 => (time * 1e6, "µs"),
            time if time < 1.0 => (time * 1e3, "ms"),
            time => (time, "s"),
        };
        let digits = if number < 10.0 { 2 } else { usize::from(number < 100.0) };
        write!(f, "{number:.digits$} {unit}")
    }
}

/// The causes of a device's gaps, those that took a millisecond or more, the longest first.
struct Causes<'a>(&'a Stalls);

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut causes: Vec<_> = self.0.iter().filter(|(_, stall)| stall.seconds >= 0.001).collect();
        causes.sort_by(|(_, one), (_, other)| other.seconds.total_cmp(&one.seconds));
        for (place, (name, Stall { seconds, count, .. })) in causes.into_iter().enumerate() {
            let lead = if place == 0 { "" } else { ", " };
            write!(f, "{lead}{name} {seconds:.3} s ({count} ×)")?;
        }
        Ok(())
    }
}

/// What a device's stage says of bytes: nothing, where it does not.
struct Bytes<'a>(&'a DeviceReport);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        if let (Some(up), Some(down)) = (self.0.bytes_up, self.0.bytes_down) {
            write!(f, "; {:.1} MiB up, {:.1} MiB down", mib(up), mib(down))?;
        }
        self.0.memory_bytes.map_or(Ok(()), |bytes| write!(f, "; holds {:.1} MiB", mib(bytes)))
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
