//! The report as text, for people.

use std::fmt;

use super::{DeviceReport, KernelReport, Latency, Report, Times};
use crate::error::OneLine;
use crate::observe::accounts::Accounts;
use crate::observe::bound::Bottleneck;
use crate::observe::changes::Change;
use crate::observe::histogram::Distribution;
use crate::observe::stalls::{Stall, Stalls};
use crate::stage::DeviceKind;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", Wall(self))?;
        for (place, half) in self.before.iter().enumerate() {
            writeln!(f, "  half {}\n{}", place + 1, Stages(half))?;
        }
        if !self.before.is_empty() {
            writeln!(f, "  half {}", self.before.len() + 1)?;
        }
        if self.open_s >= 0.001 {
            writeln!(f, "  open   {:.3} s before that: planning, allocating, trying kernels", self.open_s)?;
        }
        writeln!(f, "{}", Stages(self))?;
        if let Some(latency) = &self.latency {
            writeln!(f, "  delay  p50 / p90 / p99 from pull to delivery: {}", Delay(latency))?;
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
            writeln!(f, "  left behind: {}, since user code did not return", OneLine(thread))?;
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
            "GPU    {} ({}) busy {:.0} %{}, {} batches, {} items, starved {:.3} s, depth {}{}",
            OneLine(&self.name),
            self.kind,
            self.busy * 100.0,
            // A driver that computes on the CPU does so in threads of its own.
            Working(self.working.filter(|_| self.kind == DeviceKind::Twin)),
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
        self.notes.iter().try_for_each(|note| write!(f, "\n  note   {}", OneLine(note)))?;
        let Some(device_s) = self.device_s else { return Ok(()) };
        write!(f, "\n  clock  the device worked {device_s:.3} s by its own clock{}", Most(&self.kernels))
    }
}

/// What the stages of one half did, and who waited for what in it.
struct Stages<'a>(&'a Report);

impl fmt::Display for Stages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  CPU    {} on {} busy {:.0} %{}, {} items prepared, first result after {:.3} s",
            counted(self.0.cpu.workers, "worker"),
            counted(self.0.cores, "core"),
            self.0.cpu.busy * 100.0,
            Working(self.0.cpu.working),
            self.0.cpu.prepared,
            self.0.first_result_s
        )?;
        for device in &self.0.devices {
            writeln!(f, "  {device}")?;
        }
        write!(
            f,
            "  waits  device for batch {:.3} s, feeder for token {:.3} s, feeder in source {:.3} s, caller for result {:.3} s",
            self.0.waits.device_for_batch_s,
            self.0.waits.feeder_for_token_s,
            self.0.waits.feeder_in_source_s,
            self.0.waits.caller_for_result_s
        )?;
        if self.0.cpu.prepared > 0 {
            write!(f, "\n  times  p50 / p90 / p99: {}", Spread(self.0))?;
        }
        Ok(())
    }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Where the time went, as the bottleneck saw it.
struct Wall<'a>(&'a Report);

impl fmt::Display for Wall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { wall_s: wall, fill_s: fill, busy_s: busy, stalls_s: stalls, drain_s: drain, .. } =
            self.0;
        if self.0.bottleneck == Bottleneck::Idle {
            return write!(f, "{wall:.3} s, {busy:.3} of them without a document to work on");
        }
        write!(
            f,
            "{wall:.3} s = {fill:.3} fill + {busy:.3} busy ({}) + {stalls:.3} stalls + {drain:.3} drain; bound {:.3} s, \
             {:.1} % above it",
            self.0.bottleneck, self.0.bound_s, self.0.above_bound_percent
        )
    }
}

/// How long documents of a live source were on their way.
struct Delay<'a>(&'a Latency);

impl fmt::Display for Delay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Latency { whole, without_wait } = self.0;
        write!(f, "{}, without the wait for a batch {}", Three(whole), Three(without_wait))
    }
}

/// The three shares of a distribution.
struct Three<'a>(&'a Distribution);

impl fmt::Display for Three<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {} / {}", Short(self.0.p50_s), Short(self.0.p90_s), Short(self.0.p99_s))
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
            write!(f, "{lead}{name} {}", Three(of))?;
        }
        Ok(())
    }
}

/// How much of the work was processor time: nothing, where it is not known.
struct Working(Option<f64>);

impl fmt::Display for Working {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |share| write!(f, " ({:.0} % of it processor time)", share * 100.0))
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
            write!(f, "{lead}{} {:.0} %", OneLine(name), share * 100.0)?;
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
            Self::Cores => "cores",
            Self::Source => "source",
            Self::Caller => "caller",
            Self::Idle => "idle",
        })
    }
}
