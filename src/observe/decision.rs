//! What was chosen for a run, and why.

use std::fmt;

/// A setting that gapless chose for a run. See [`Auto`](crate::Auto).
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Decision {
    /// The setting: `workers`, `devices`, `batch_size`, `ahead` or `ramp`.
    pub setting: &'static str,
    /// What was chosen, as one would give it to the setter: `32`, `true`.
    pub value: String,
    /// Why, with the numbers that it rests on. Set the same value yourself to keep it: cuts then no longer
    /// depend on time.
    pub reason: String,
    /// Seconds after the start of the run; 0 for what was chosen before it. Several decisions on one
    /// setting: the measured costs changed on the way, and the last one holds.
    pub at_s: f64,
}

impl Decision {
    pub(crate) fn new(setting: &'static str, value: impl fmt::Display, reason: impl Into<String>) -> Self {
        Self { setting, value: value.to_string(), reason: reason.into(), at_s: 0.0 }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, value, reason, at_s } = self;
        write!(f, "chosen {setting} {value}: {reason}")?;
        if *at_s > 0.0 { write!(f, " (after {at_s:.3} s)") } else { Ok(()) }
    }
}

/// Seconds, in the unit in which they are read best.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", s * 1e3),
        s => format!("{:.2} µs", s * 1e6),
    }
}
