//! The report of several halves in a row: it speaks of the slowest of them.

use super::Report;

impl Report {
    /// The same, where there are halves before: where the time went, the bound, what to change are those of the
    /// half that could not be faster than all others.
    pub(crate) fn over_halves(mut self) -> Self {
        if self.before.is_empty() {
            return self;
        }
        let halves = self.before.len() + 1;
        let slowest = self
            .before
            .iter()
            .enumerate()
            .max_by(|(_, one), (_, other)| one.bound_s.total_cmp(&other.bound_s));
        let slowest = slowest.filter(|(_, half)| half.bound_s > self.bound_s);
        let place = slowest.map_or(halves, |(place, _)| place + 1);
        if let Some((_, half)) = slowest {
            let half = half.clone();
            // What came after its own end is behind its last work.
            let behind = (self.wall_s - half.wall_s).max(0.0);
            (self.fill_s, self.busy_s, self.stalls_s) = (half.fill_s, half.busy_s, half.stalls_s);
            self.drain_s = half.drain_s + behind;
            (self.bottleneck, self.bound_s) = (half.bottleneck, half.bound_s);
            self.above_bound_percent = above_percent(self.wall_s, half.bound_s);
            (self.costs, self.changes, self.advice) = (half.costs, half.changes, half.advice);
        }
        self.advice = format!("Half {place} of {halves} is the slowest. {}", self.advice);
        self
    }
}

/// How far a run of this length was from its bound, in percent of the bound.
pub(super) fn above_percent(wall: f64, bound: f64) -> f64 {
    if bound > 0.0 { ((wall / bound - 1.0) * 100.0).max(0.0) } else { 0.0 }
}
