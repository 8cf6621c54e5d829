//! Pixels at the places that a grid names.

use super::params::{params, wgsl};
use super::{Access, Dispatch, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// The pixels of x `[channels, height, width]` at the places of a grid `[rows, columns, 2]`, as the ONNX operator
/// `GridSample` gives them: `[channels, rows, columns]`.
///
/// A place is a column and a row between -1, the first one, and 1, the last. NaN as a place gives NaN. One of x and the
/// grid is an activation at least.
///
/// ```
/// use gapless::kernel::{GridSample, Kernel, Spec};
/// let (x, grid) = (Spec::floats(&[256, 32, 32]), Spec::floats(&[300, 4, 2]));
/// assert_eq!(GridSample::linear().output(&[&x, &grid])?, Spec::floats(&[256, 300, 4]));
/// # Ok::<(), gapless::Cause>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct GridSample {
    mode: Mode,
    padding: GridPadding,
    aligned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Nearest,
    Linear,
    Cubic,
}

/// What lies outside of all pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum GridPadding {
    /// 0.
    #[default]
    Zeros,
    /// The pixel that is nearest.
    Border,
    /// The pixels mirrored.
    Reflection,
}

params! {
    /// Mirrors `Params` of `shaders/grid_sample.wgsl`. A step is the way from one item to the next: 0 for a constant.
    struct GridSampleParams {
        height: u32,
        width: u32,
        places: u32,
        x_step: u32,
        grid_step: u32,
        len: u32,
        mode: u32,
        padding: u32,
        aligned: u32,
    }
}

impl GridSample {
    fn new(mode: Mode) -> Self {
        Self { mode, padding: GridPadding::Zeros, aligned: false }
    }

    /// The pixel that is nearest, of two as near the one with an even number.
    pub fn nearest() -> Self {
        Self::new(Mode::Nearest)
    }

    /// Between the four pixels around a place, by how near each is.
    pub fn linear() -> Self {
        Self::new(Mode::Linear)
    }

    /// Between the sixteen pixels around a place by Keys' cubic (1981), with a = -0.75.
    pub fn cubic() -> Self {
        Self::new(Mode::Cubic)
    }

    /// What lies outside; 0 by default.
    pub fn padding(mut self, padding: GridPadding) -> Self {
        self.padding = padding;
        self
    }

    /// Whether -1 and 1 are the middles of the first and the last pixel; by default they are their outer edges.
    pub fn align_corners(mut self, aligned: bool) -> Self {
        self.aligned = aligned;
        self
    }

    /// Where a place between -1 and 1 is among so many pixels; outside of all of them, by the padding.
    fn pixel(self, place: f32, len: usize) -> f32 {
        let count = len as f32;
        let at = match self.aligned {
            true => (place + 1.0) * 0.5 * (count - 1.0),
            false => ((place + 1.0) * count - 1.0) * 0.5,
        };
        let at = if self.mode == Mode::Nearest { at.round_ties_even() } else { at };
        match self.padding {
            GridPadding::Zeros => at,
            GridPadding::Border => at.clamp(0.0, count - 1.0),
            GridPadding::Reflection => self.reflected(at, count),
        }
    }

    /// Reflected at the first and the last pixel, or at their outer edges.
    fn reflected(self, at: f32, count: f32) -> f32 {
        let (low, span) = if self.aligned { (0.0, count - 1.0) } else { (-0.5, count) };
        if span <= 0.0 {
            return 0.0;
        }
        let away = (at - low).abs();
        let times = (away / span).floor();
        let rest = away - times * span;
        let turned = times.min(1e9) as u32 & 1 == 1;
        low + if turned { span - rest } else { rest }
    }

    /// The place of a pixel on an axis; none where there is 0.
    fn tap(self, at: i32, len: usize) -> Option<usize> {
        let last = len as i32 - 1;
        let at = match self.padding {
            GridPadding::Zeros => at,
            GridPadding::Border => at.clamp(0, last),
            GridPadding::Reflection => whole(self.reflected(at as f32, len as f32)).clamp(0, last),
        };
        usize::try_from(at).ok().filter(|at| *at < len)
    }

    /// The first of the pixels on an axis that a place is between, and the share of each.
    fn taps(self, place: f32) -> (i32, Vec<f32>) {
        let share = place - place.floor();
        match self.mode {
            Mode::Nearest => (whole(place), vec![1.0]),
            Mode::Linear => (whole(place.floor()), vec![1.0 - share, share]),
            Mode::Cubic => (whole(place.floor()).saturating_sub(1), cubic(share).to_vec()),
        }
    }
}

/// A place that 32 bits hold, as near as that can be to any.
fn whole(place: f32) -> i32 {
    place.clamp(-1e9, 1e9) as i32
}

fn cubic(share: f32) -> [f32; 4] {
    let inner = |near: f32| (1.25 * near - 2.25) * near * near + 1.0;
    let outer = |far: f32| ((-0.75 * far + 3.75) * far - 6.0) * far + 3.0;
    [outer(share + 1.0), inner(share), inner(1.0 - share), outer(2.0 - share)]
}

impl Kernel for GridSample {
    fn name(&self) -> &str {
        "grid_sample"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        let [x, places] = rule::take(inputs, ["x", "grid"])?;
        rule::floats("x", x)?;
        rule::floats("grid", places)?;
        rule::any_activation(inputs)?;
        match (&x.shape[..], &places.shape[..]) {
            (&[channels, _, _], &[rows, columns, 2]) => rule::output(&[channels, rows, columns]),
            ([_, _, _], _) => Err(rule::misfit("grid", places, "[rows, columns, 2] would fit")),
            _ => Err(rule::misfit("x", x, "[channels, height, width] would fit")),
        }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let (x, places) = (inputs[0], inputs[1]);
        let params = GridSampleParams {
            height: x.shape[1] as u32,
            width: x.shape[2] as u32,
            places: (places.shape[0] * places.shape[1]) as u32,
            x_step: rule::step(x),
            grid_step: rule::step(places),
            len: output.len() as u32,
            mode: self.mode as u32,
            padding: self.padding as u32,
            aligned: self.aligned.into(),
        };
        Dispatch {
            kernel: "grid_sample".into(),
            source: wgsl!(
                "grid_sample",
                "shared/each_value",
                "shared/linear",
                "shared/nan",
                "shared/nan_made"
            )
            .into(),
            access: Access::ours(&["x", "grid"]),
            constants: Vec::new(),
            workgroups: grid::cover(output.len(), 256),
            params: bytemuck::bytes_of(&params).to_vec(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let (x, places, mut output) = (inputs[0].floats(), inputs[1].floats(), output.floats());
        let (height, width) = (x.shape()[1], x.shape()[2]);
        for row in 0..places.shape()[0] {
            for column in 0..places.shape()[1] {
                let at = [places[[row, column, 0]], places[[row, column, 1]]];
                let [across, down] = [self.pixel(at[0], width), self.pixel(at[1], height)];
                let ((left, columns), (top, rows)) = (self.taps(across), self.taps(down));
                for channel in 0..x.shape()[0] {
                    let tap = |y: i32, x_at: i32| {
                        let place = self.tap(y, height).zip(self.tap(x_at, width));
                        place.map_or(0.0, |(y, x_at)| x[[channel, y, x_at]])
                    };
                    let line = |y: i32| -> f32 {
                        (left..).zip(&columns).map(|(x_at, share)| share * tap(y, x_at)).sum()
                    };
                    let value = (top..).zip(&rows).map(|(y, share)| share * line(y)).sum();
                    let none = at[0].is_nan() || at[1].is_nan();
                    output[[channel, row, column]] = if none { f32::NAN } else { value };
                }
            }
        }
    }
}
