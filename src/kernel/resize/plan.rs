//! The axes that change, up to three of them, and the table that tells a device what they are made of.

use super::taps::Taps;
use crate::error::Cause;

/// Axes of one tensor that can change at once.
pub(super) const MOST_RESIZED: usize = 3;

/// Every tensor as seven axes, of which every second one may change: what lies before the first that
/// changes, that one, what lies between it and the second one, and so on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) resized: [Resized; MOST_RESIZED],
    /// Elements behind each axis that may change, up to the next one.
    pub(super) behind: [usize; MOST_RESIZED],
}

/// An axis that may change.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resized {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) taps: Taps,
}

impl Plan {
    /// Some taps for each axis that changes, `None` for each that stays.
    pub(super) fn new(shape: &[usize], output: &[usize], taps: Vec<Option<Taps>>) -> Result<Self, Cause> {
        let changing: Vec<usize> = (0..shape.len()).filter(|&axis| taps[axis].is_some()).collect();
        let missing = MOST_RESIZED.checked_sub(changing.len()).ok_or_else(|| {
            Cause::msg(format!("axes {changing:?} change; up to {MOST_RESIZED} at once would fit"))
        })?;
        let none = || Resized { input: 1, output: 1, taps: Taps::same(1) };
        let mut plan = Self { resized: [none(), none(), none()], behind: [1; MOST_RESIZED] };
        if let (Some(&first), true) = (changing.first(), missing > 0) {
            plan.behind[missing - 1] = shape[..first].iter().product();
        } else if changing.is_empty() {
            plan.behind[MOST_RESIZED - 1] = shape.iter().product();
        }
        for (axis, taps) in taps.into_iter().enumerate().filter_map(|(axis, taps)| Some((axis, taps?))) {
            let number = changing.partition_point(|&other| other < axis);
            let next = changing.get(number + 1).copied().unwrap_or(shape.len());
            plan.resized[missing + number] = Resized { input: shape[axis], output: output[axis], taps };
            plan.behind[missing + number] = shape[axis + 1..next].iter().product();
        }
        Ok(plan)
    }

    /// Where the table of each axis starts, and where the last one ends.
    pub(super) fn offsets(&self) -> [usize; MOST_RESIZED + 1] {
        let mut offsets = [0; MOST_RESIZED + 1];
        for (number, resized) in self.resized.iter().enumerate() {
            offsets[number + 1] = offsets[number] + resized.output * (1 + resized.taps.count);
        }
        offsets
    }

    /// For every place of every axis that may change, where it starts to read, or -1 outside, and its weights.
    pub(super) fn table(&self) -> Vec<f32> {
        let mut table = Vec::new();
        for Resized { taps, .. } in &self.resized {
            for (place, start) in taps.starts.iter().enumerate() {
                table.push(start.map_or(-1.0, |start| start as f32));
                table.extend(taps.weights(place));
            }
        }
        table
    }

    /// Writes the resized values in order; a place outside a crop is `outside`.
    pub(super) fn run<'a>(&self, x: &[f32], mut y: impl Iterator<Item = &'a mut f32>, outside: f32) {
        let [a, b, c] = &self.resized;
        let [behind_a, behind_b, behind_c] = self.behind;
        let before = x.len() / (a.input * behind_a * b.input * behind_b * c.input * behind_c);
        let (row, plane) = (c.input * behind_c, b.input * behind_b * c.input * behind_c);
        let mut rows = Vec::new();
        for [i, at_a, j, at_b, k] in places([before, a.output, behind_a, b.output, behind_b]) {
            rows.clear();
            let is_inside = a.taps.starts[at_a].is_some() && b.taps.starts[at_b].is_some();
            for (from_a, weight_a) in a.taps.of(at_a) {
                let first = ((i * a.input + from_a) * behind_a + j) * plane;
                let of = |(from_b, weight_b)| (first + (from_b * behind_b + k) * row, weight_a * weight_b);
                rows.extend(b.taps.of(at_b).map(of));
            }
            for at_c in 0..c.output {
                let is_inside = is_inside && c.taps.starts[at_c].is_some();
                for last in 0..behind_c {
                    let of_row = |&(start, weight): &(usize, f32)| {
                        let value = |from| f64::from(x[start + from * behind_c + last]);
                        let values = c.taps.of(at_c).map(|(from, w)| value(from) * f64::from(w));
                        values.sum::<f64>() * f64::from(weight)
                    };
                    let value = if is_inside { rows.iter().map(of_row).sum::<f64>() as f32 } else { outside };
                    *y.next().expect("an output is as long as the shape rule says") = value;
                }
            }
        }
    }
}

/// Every place below these sizes, in order.
fn places([a, b, c, d, e]: [usize; 5]) -> impl Iterator<Item = [usize; 5]> {
    ndarray::indices((a, b, c, d, e)).into_iter().map(|(a, b, c, d, e)| [a, b, c, d, e])
}

impl Taps {
    /// What a place is made of: places of the input and their weights, without those that weigh nothing.
    fn of(&self, place: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let start = self.starts[place].unwrap_or_default();
        let weights = self.weights(place).iter().copied().enumerate();
        weights.filter(|(_, weight)| *weight != 0.0).map(move |(index, weight)| (start + index, weight))
    }
}
