//! Which places of an axis each place of the resized axis is made of, and with what weights.
//!
//! The rules are those of ONNX's text on `Resize`, `length_resized` being the output's length, and where that
//! says nothing those of ONNX Runtime (`upsamplebase.h`); weights are those of ONNX's reference implementation,
//! in f64.

use super::{Coordinates, Interpolation, Nearest};
use crate::error::Cause;

/// Most numbers that a table of one axis may have.
const MOST_NUMBERS: f64 = (1 << 24) as f64;

/// How one axis is resized.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis<'a> {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) scale: f64,
    pub(super) interpolation: Interpolation,
    pub(super) coordinates: &'a Coordinates,
    /// Start and end of what is cropped, as shares of the axis.
    pub(super) crop: [f64; 2],
    pub(super) antialias: bool,
    pub(super) exclude_outside: bool,
}

/// Where each place of the resized axis starts to read, and the weights of what it reads from there on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Taps {
    /// `None` lies outside what is cropped.
    pub(super) starts: Vec<Option<usize>>,
    /// As many for each place.
    pub(super) weights: Vec<f32>,
    pub(super) count: usize,
}

impl Taps {
    /// An axis of which nothing changes.
    pub(super) fn same(len: usize) -> Self {
        Self { starts: (0..len).map(Some).collect(), weights: vec![1.0; len], count: 1 }
    }

    /// The weights of a place.
    pub(super) fn weights(&self, place: usize) -> &[f32] {
        &self.weights[place * self.count..][..self.count]
    }
}

impl Axis<'_> {
    /// Whether the axis stays as it is.
    pub(super) fn is_same(&self) -> bool {
        let crops =
            matches!(self.coordinates, Coordinates::TfCropAndResize { .. }) && self.crop != [0.0, 1.0];
        self.input == self.output && (self.scale - 1.0).abs() <= 1e-9 && !crops
    }

    pub(super) fn taps(&self) -> Result<Taps, Cause> {
        if !(self.scale.is_finite() && self.scale > 0.0) {
            return Err(Cause::msg(format!("the scale is {}; a number above 0 would fit", self.scale)));
        }
        if self.reach() * 2.0 * self.output as f64 > MOST_NUMBERS {
            let reason =
                format!("{} places of {} each are more than a table holds", self.output, self.reach() * 2.0);
            return Err(Cause::msg(format!("{reason}; up to 2^24 numbers would fit")));
        }
        let rows = (0..self.output).map(|place| self.row(place as f64)).collect::<Result<Vec<_>, _>>()?;
        let count = rows.iter().flatten().map(|row| row.1.len()).max().unwrap_or(1);
        let mut taps = Taps { starts: Vec::new(), weights: vec![0.0; count * rows.len()], count };
        for (row, weights) in rows.into_iter().zip(taps.weights.chunks_mut(count)) {
            let Some((first, values)) = row else {
                taps.starts.push(None);
                continue;
            };
            let start = first.min(self.input - count);
            for (weight, value) in weights[first - start..].iter_mut().zip(values) {
                *weight = value as f32;
            }
            taps.starts.push(Some(start));
        }
        Ok(taps)
    }

    /// The first place that is read for this place, and the weights from there on; `None` outside the crop.
    fn row(&self, place: f64) -> Result<Option<(usize, Vec<f64>)>, Cause> {
        let source = self.source(place);
        if !source.is_finite() {
            return Err(Cause::msg(format!(
                "the scale {} and the crop {:?} lead nowhere",
                self.scale, self.crop
            )));
        }
        let last = self.input - 1;
        let crops = matches!(self.coordinates, Coordinates::TfCropAndResize { .. });
        if crops && !(0.0..=last as f64).contains(&source) {
            return Ok(None);
        }
        // Everything far outside is the edge.
        let source = source.clamp(-1e12, 1e12);
        let floor = source.floor();
        let ratio = if source == floor { 1.0 } else { source - floor };
        let mut weights = self.weights(ratio);
        let half = weights.len() as i64 / 2;
        let first = floor as i64 - half + i64::from(source != floor);
        if self.exclude_outside {
            let inside = |index: usize| (0..=last as i64).contains(&(first + index as i64));
            weights
                .iter_mut()
                .enumerate()
                .filter(|(index, _)| !inside(*index))
                .for_each(|(_, weight)| *weight = 0.0);
            let sum: f64 = weights.iter().sum();
            let sum = if sum == 0.0 { 1.0 } else { sum };
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        Ok(Some(gathered(first, &weights, last)))
    }

    /// Where a place of the output lies in the input.
    fn source(&self, place: f64) -> f64 {
        let round = |value| self.rounded(value);
        let (input, scale) = (self.input as f64, round(self.scale));
        let (last, is_one) = (input - 1.0, self.output == 1);
        match self.coordinates {
            Coordinates::AlignCorners | Coordinates::PytorchHalfPixel if is_one => 0.0,
            Coordinates::AlignCorners => round(round(place * last) / round(self.aligned_length() - 1.0)),
            Coordinates::Asymmetric => round(place / scale),
            Coordinates::HalfPixel | Coordinates::PytorchHalfPixel => {
                round(round(round(place + 0.5) / scale) - 0.5)
            }
            Coordinates::HalfPixelSymmetric => {
                let adjustment = round(self.output as f64 / round(scale * input));
                let offset = round(input / 2.0 * round(1.0 - adjustment));
                round(offset + (place + 0.5) / scale - 0.5)
            }
            Coordinates::TfCropAndResize { .. } => {
                let [start, end] = self.crop;
                if is_one {
                    return round(0.5 * round(start + end) * last);
                }
                let way = round(round(place * round(end - start)) * last);
                round(round(start * last) + round(way / (self.output as f64 - 1.0)))
            }
        }
    }

    /// The nearest place is chosen in ONNX Runtime's arithmetic, each step of it in f32: where two places are
    /// as near, or a source is a whole number but for rounding, the rounding decides.
    fn rounded(&self, value: f64) -> f64 {
        match self.interpolation {
            Interpolation::Nearest(_) => f64::from(value as f32),
            Interpolation::Linear | Interpolation::Cubic(_) => value,
        }
    }

    /// The length of the resized axis that `AlignCorners` counts with.
    ///
    /// ONNX says that it is the length of the resized tensor, as ONNX Runtime and PyTorch have it, so that the
    /// last places lie on each other. Its own cases of an axis that gets smaller count with the length before
    /// it is rounded down, and that is kept to, unless rounding of the scale alone makes the difference.
    fn aligned_length(&self) -> f64 {
        let (rounded, unrounded) = (self.output as f64, self.scale * self.input as f64);
        let is_fraction = (unrounded - rounded).abs() > rounded * f64::from(f32::EPSILON);
        if self.scale < 1.0 && is_fraction { unrounded } else { rounded }
    }

    /// How far the weights reach to either side.
    fn reach(&self) -> f64 {
        let radius = match self.interpolation {
            Interpolation::Nearest(_) | Interpolation::Linear => 1.0,
            Interpolation::Cubic(_) => 2.0,
        };
        let scale = if self.antialias { self.scale.min(1.0) } else { 1.0 };
        -(-radius / scale).floor()
    }

    /// Weights of the places around a source that lies `ratio` behind the place before it, above 0 to 1.
    fn weights(&self, ratio: f64) -> Vec<f64> {
        let reach = self.reach() as i64;
        let scale = if self.antialias { self.scale.min(1.0) } else { 1.0 };
        let distances = (1 - reach..=reach).map(|index| scale * (index as f64 - ratio));
        let mut weights: Vec<f64> = match self.interpolation {
            Interpolation::Nearest(nearest) => return nearest.weights(ratio).to_vec(),
            Interpolation::Linear => {
                distances.map(|distance| (1.0 - distance.abs()).clamp(0.0, 1.0)).collect()
            }
            Interpolation::Cubic(a) => distances.map(|distance| cubic(distance.abs(), a)).collect(),
        };
        if self.antialias {
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        weights
    }
}

impl Nearest {
    /// Of the place before and of the place behind.
    fn weights(self, ratio: f64) -> [f64; 2] {
        let takes_next = ratio == 1.0
            || match self {
                Self::RoundPreferFloor => ratio > 0.5,
                Self::RoundPreferCeil => ratio >= 0.5,
                Self::Floor => false,
                Self::Ceil => true,
            };
        if takes_next { [0.0, 1.0] } else { [1.0, 0.0] }
    }
}

/// The kernel of cubic convolution (Keys 1981) with the coefficient `a`.
fn cubic(x: f64, a: f64) -> f64 {
    if x <= 1.0 {
        ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        ((a * x - 5.0 * a) * x + 8.0 * a) * x - 4.0 * a
    } else {
        0.0
    }
}

/// Weights of places from `first` on, with those outside the axis added to its edges, and without zeros at
/// either end.
fn gathered(first: i64, weights: &[f64], last: usize) -> (usize, Vec<f64>) {
    let place = |index: usize| (first + index as i64).clamp(0, last as i64) as usize;
    let start = place(0);
    let mut sums = vec![0.0; place(weights.len() - 1) - start + 1];
    for (index, weight) in weights.iter().enumerate() {
        sums[place(index) - start] += weight;
    }
    let Some(from) = sums.iter().position(|sum| *sum != 0.0) else { return (start, vec![0.0]) };
    let end = sums.iter().rposition(|sum| *sum != 0.0).map_or(sums.len(), |end| end + 1);
    (start + from, sums[from..end].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(input: usize, output: usize, interpolation: Interpolation) -> Axis<'static> {
        Axis {
            input,
            output,
            scale: output as f64 / input as f64,
            interpolation,
            coordinates: &Coordinates::HalfPixel,
            crop: [0.0, 1.0],
            antialias: false,
            exclude_outside: false,
        }
    }

    #[test]
    fn linear_weights_lie_between_two_places_and_stop_at_the_edge() {
        let taps = axis(2, 4, Interpolation::Linear).taps().unwrap();
        assert_eq!(taps.starts, [Some(0); 4]);
        assert_eq!(taps.weights, [1.0, 0.0, 0.75, 0.25, 0.25, 0.75, 0.0, 1.0]);
    }

    #[test]
    fn ties_go_where_the_mode_says() {
        let starts = |nearest| {
            let axis =
                Axis { coordinates: &Coordinates::Asymmetric, ..axis(2, 4, Interpolation::Nearest(nearest)) };
            axis.taps().unwrap().starts.into_iter().flatten().collect::<Vec<_>>()
        };
        assert_eq!(starts(Nearest::RoundPreferFloor), [0, 0, 1, 1]);
        assert_eq!(starts(Nearest::RoundPreferCeil), [0, 1, 1, 1]);
        assert_eq!(starts(Nearest::Floor), [0, 0, 1, 1]);
        assert_eq!(starts(Nearest::Ceil), [0, 1, 1, 1]);
    }

    #[test]
    fn weights_add_up_to_one() {
        for interpolation in [Interpolation::Linear, Interpolation::Cubic(-0.75), Interpolation::Cubic(-0.5)]
        {
            for (input, output) in [(1, 5), (7, 3), (9, 4), (5, 13), (30, 2)] {
                for (antialias, exclude_outside) in
                    [(false, false), (true, false), (false, true), (true, true)]
                {
                    let axis = Axis { antialias, exclude_outside, ..axis(input, output, interpolation) };
                    let taps = axis.taps().unwrap();
                    for place in 0..output {
                        let sum: f32 = taps.weights(place).iter().sum();
                        assert!((sum - 1.0).abs() < 1e-5, "{axis:?} at {place}: {sum}");
                        assert!(taps.starts[place].unwrap() + taps.count <= input);
                    }
                }
            }
        }
    }

    #[test]
    fn scales_that_lead_nowhere_are_errors_and_no_panics() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1e-12] {
            let axis = Axis { scale, antialias: true, ..axis(5, 3, Interpolation::Linear) };
            assert!(axis.taps().is_err(), "{scale}");
            let _ = Axis { antialias: false, ..axis }.taps();
        }
    }
}
