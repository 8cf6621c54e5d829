//! A timeline as trace events, which Perfetto and Chrome's `chrome://tracing` show.
//!
//! The format is the JSON object of the "Trace Event Format": complete events (`X`) with times in
//! microseconds, counters (`C`), and names of processes and threads (`M`).

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use super::Timeline;
use crate::error::Error;
use crate::file::NewFile;
use crate::observe::record::{Kind, Span};

/// The process of everything of a half that runs on the host; its devices follow it, and the next half them.
const HOST: usize = 0;
/// That of the first half.
const FIRST: usize = 1;
const CALLER: usize = 1;
const FEEDER: usize = 2;
/// The first of the device threads, and of the workers.
const DEVICE_THREADS: usize = 10;
const WORKERS: usize = 300;
/// Within a device.
const OWN_CLOCK: usize = 1;
const SLOTS: usize = 2;

/// A row of a half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Track {
    process: usize,
    thread: usize,
}

impl Track {
    fn of(span: &Span) -> Self {
        let (device, lane) = (usize::from(span.device), usize::from(span.lane));
        let host = |thread| Self { process: HOST, thread };
        let on_device = |thread| Self { process: HOST + 1 + device, thread };
        match span.kind {
            Kind::Prepare | Kind::Then => host(WORKERS + lane),
            Kind::WaitForToken | Kind::Source => host(FEEDER),
            Kind::Submit | Kind::Collect | Kind::Rebuild => host(DEVICE_THREADS + device),
            Kind::InFlight => on_device(SLOTS + lane),
            Kind::OnDevice | Kind::Kernel => on_device(OWN_CLOCK),
            Kind::WaitForResult | Kind::Caller => host(CALLER),
            Kind::LineFill | Kind::Tokens => host(0),
        }
    }

    fn name(self) -> String {
        match (self.process, self.thread) {
            (HOST, CALLER) => "caller".into(),
            (HOST, FEEDER) => "feeder".into(),
            (HOST, thread) if thread >= WORKERS => format!("worker {}", thread - WORKERS),
            (HOST, thread) => format!("device thread {}", thread - DEVICE_THREADS),
            (_, OWN_CLOCK) => "the device by its own clock".into(),
            (_, thread) => format!("slot {}", thread - SLOTS),
        }
    }
}

impl Timeline {
    /// Writes trace events into a file, where they are shown as [`write_trace`](Self::write_trace) says.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let written = NewFile::create(path).and_then(|mut file| {
            self.write_trace(&mut file)?;
            file.finish()
        });
        written.map_err(|cause| Error::Output { cause })
    }

    /// Writes trace events in JSON, an event a line, for [Perfetto](https://ui.perfetto.dev) or
    /// `chrome://tracing`: a track a worker, the feeder, the device threads, the caller, each slot of a device,
    /// and the device by its own clock where it has one; counters for the items that stand in the line and the
    /// tokens that are taken. Halves in a row have processes of their own.
    ///
    /// A device's clock is set against the host's by the batch whose result was seen soonest after its end, so
    /// none ends later than it was collected; that two clocks drift apart is not corrected. `otherData` says
    /// how many spans had no room.
    ///
    /// # Errors
    /// Those of `out`, which should be buffered.
    pub fn write_trace(&self, mut out: impl Write) -> io::Result<()> {
        let spans: usize = self.halves().map(|half| half.spans.len()).sum();
        let room: usize = self.halves().map(|half| half.facts.room).sum();
        writeln!(
            out,
            "{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"spans\":{spans},\"room\":{room},\"left_out\":{}}},\
             \"traceEvents\":[",
            self.left_out()
        )?;
        let mut process = FIRST;
        for (place, timeline) in self.halves().enumerate() {
            if place > 0 {
                out.write_all(b",\n")?;
            }
            let place = (!self.before.is_empty()).then_some(place + 1);
            Half { timeline, process, place }.write(&mut out)?;
            process += 1 + timeline.facts.devices.len();
        }
        out.write_all(b"\n]}\n")
    }

    fn name(&self, span: &Span) -> String {
        match span.kind {
            Kind::Prepare => "prepare".into(),
            Kind::Then => "then".into(),
            Kind::WaitForToken => "wait for a token".into(),
            Kind::Source => "source".into(),
            Kind::Submit => "submit".into(),
            Kind::Collect => "collect".into(),
            Kind::Rebuild => "rebuild".into(),
            Kind::InFlight | Kind::OnDevice => format!("batch {}", span.first),
            Kind::Kernel => self.kernel(span).unwrap_or("kernel").into(),
            Kind::WaitForResult => "wait for a result".into(),
            Kind::Caller => "use a result".into(),
            Kind::LineFill | Kind::Tokens => String::new(),
        }
    }

    fn kernel(&self, span: &Span) -> Option<&str> {
        let device = self.facts.devices.get(usize::from(span.device))?;
        device.kernels.get(usize::try_from(span.first).ok()?).map(String::as_str)
    }
}

/// One of the halves in the file.
struct Half<'a> {
    timeline: &'a Timeline,
    /// Its first process.
    process: usize,
    /// Which it is, where there are several.
    place: Option<usize>,
}

impl Half<'_> {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        self.write_names(out)?;
        for span in &self.timeline.spans {
            out.write_all(b",\n")?;
            self.write_span(out, span)?;
        }
        Ok(())
    }

    fn write_names(&self, out: &mut impl Write) -> io::Result<()> {
        let half = self.place.map(|place| format!(", half {place}")).unwrap_or_default();
        let host = Track { process: HOST, thread: 0 };
        write!(out, "{}", self.named("process_name", host, &format!("gapless{half}")))?;
        for (rank, device) in self.timeline.facts.devices.iter().enumerate() {
            let track = Track { process: HOST + 1 + rank, thread: 0 };
            write!(out, ",\n{}", self.named("process_name", track, &format!("{}{half}", device.name)))?;
        }
        let spans = self.timeline.spans.iter().filter(|span| !span.kind.is_counter());
        for track in spans.map(Track::of).collect::<BTreeSet<_>>() {
            write!(out, ",\n{}", self.named("thread_name", track, &track.name()))?;
            write!(
                out,
                ",\n{{\"ph\":\"M\",\"name\":\"thread_sort_index\",\"pid\":{},\"tid\":{},\"args\":{{\"sort_index\":{}}}}}",
                self.process + track.process,
                track.thread,
                track.thread
            )?;
        }
        Ok(())
    }

    fn named<'n>(&self, what: &'n str, track: Track, name: &'n str) -> Name<'n> {
        Name { what, process: self.process + track.process, thread: track.thread, name }
    }

    fn write_span(&self, out: &mut impl Write, span: &Span) -> io::Result<()> {
        let Track { process, thread } = Track::of(span);
        let process = self.process + process;
        let (start, first, count) = (Micros(span.start), span.first, span.count);
        if span.kind.is_counter() {
            let name = if span.kind == Kind::LineFill { "line" } else { "tokens" };
            return write!(
                out,
                "{{\"ph\":\"C\",\"name\":\"{name}\",\"pid\":{process},\"tid\":0,\"ts\":{start},\
                 \"args\":{{\"items\":{first}}}}}"
            );
        }
        let name = self.timeline.name(span);
        let took = Micros(span.end.saturating_sub(span.start));
        write!(
            out,
            "{{\"ph\":\"X\",\"name\":{},\"pid\":{process},\"tid\":{thread},\"ts\":{start},\"dur\":{took},\"args\":{{",
            Text(&name)
        )?;
        match span.kind {
            Kind::Prepare | Kind::Source => write!(out, "\"position\":{first},\"items\":{count}")?,
            Kind::Then | Kind::Submit | Kind::Collect | Kind::InFlight | Kind::OnDevice => {
                write!(out, "\"batch\":{first},\"items\":{count}")?;
            }
            Kind::Caller => write!(out, "\"batch\":{first}")?,
            Kind::Kernel => write!(out, "\"items\":{count}")?,
            _ => {}
        }
        out.write_all(b"}}")
    }
}

/// The name of a process or thread, as an event.
struct Name<'a> {
    what: &'a str,
    process: usize,
    thread: usize,
    name: &'a str,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, process, thread, name } = self;
        let name = Text(name);
        write!(
            f,
            "{{\"ph\":\"M\",\"name\":\"{what}\",\"pid\":{process},\"tid\":{thread},\"args\":{{\"name\":{name}}}}}"
        )
    }
}

/// Nanoseconds, written as microseconds without rounding.
struct Micros(u64);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// Text as a JSON string.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        f.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => write!(f, "\\{letter}")?,
                control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_whatever_stands_in_it() {
        for name in ["NVIDIA \"H100\"", "a\\b", "line\nfeed\u{1}", "µ ✓"] {
            let read: String = serde_json::from_str(&Text(name).to_string()).expect("it is a JSON string");
            assert_eq!(read, name);
        }
    }

    #[test]
    fn nanoseconds_are_kept() {
        assert_eq!(Micros(1_002_003).to_string(), "1002.003");
    }
}
