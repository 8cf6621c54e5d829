//! Two kernels that a test can compute in its head.
#![allow(dead_code, reason = "every test file uses its own part")]

use gapless::Cause;
use gapless::kernel::{Access, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut};
pub(crate) fn bytes(shape: &[usize]) -> Spec {
    Spec { element: Element::U8, shape: shape.to_vec(), batched: true }
}

pub(crate) fn floats(shape: &[usize]) -> Spec {
    Spec { element: Element::F32, shape: shape.to_vec(), batched: true }
}

/// `x * scale + bias`, of bytes or floats.
#[derive(Debug)]
pub(crate) struct Scale(pub(crate) f32, pub(crate) f32);

const SCALE: &str = "
struct Params { len: u32, item_words: u32, scale: f32, bias: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
override bytes: bool;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.len { return; }
    var value: f32;
    if bytes {
        value = f32((x[id.z * params.item_words + id.x / 4u] >> (8u * (id.x % 4u))) & 255u);
    } else {
        value = bitcast<f32>(x[id.z * params.item_words + id.x]);
    }
    y[id.z * params.len + id.x] = value * params.scale + params.bias;
}";

impl Kernel for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        match inputs {
            [x] => Ok(Spec { element: Element::F32, ..(*x).clone() }),
            _ => Err(Cause::msg(format!("takes one input, not {}", inputs.len()))),
        }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let mut params = Vec::new();
        params.extend_from_slice(&(output.len() as u32).to_ne_bytes());
        params.extend_from_slice(&(inputs[0].item_bytes() as u32 / 4).to_ne_bytes());
        params.extend_from_slice(&self.0.to_ne_bytes());
        params.extend_from_slice(&self.1.to_ne_bytes());
        let bytes = f64::from(u8::from(inputs[0].element == Element::U8));
        Dispatch {
            kernel: "scale".into(),
            source: SCALE.into(),
            access: Access::Own,
            constants: vec![("bytes".into(), bytes)],
            workgroups: [(output.len() as u32).div_ceil(64), 1],
            params,
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        match &inputs[0] {
            Values::U8(x) => output.zip_mut_with(x, |y, &x| *y = f32::from(x) * self.0 + self.1),
            Values::I32(_) => unreachable!("the shape rule takes no whole numbers"),
            Values::F32(x) => output.zip_mut_with(x, |y, &x| *y = x * self.0 + self.1),
        }
    }

    fn multiply_adds(&self, _inputs: &[&Spec], output: &Spec) -> u64 {
        output.len() as u64
    }
}

/// The sum of two tensors of one shape; the second may be a constant.
#[derive(Debug)]
pub(crate) struct Sum;

const SUM: &str = "
struct Params { len: u32, step: u32, unused_1: u32, unused_2: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= params.len { return; }
    y[id.z * params.len + id.x] = a[id.z * params.len + id.x] + b[id.z * params.step + id.x];
}";

impl Kernel for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        match inputs {
            [a, b] if a.shape == b.shape && a.element == Element::F32 => Ok((*a).clone()),
            [a, b] => Err(Cause::msg(format!("{:?} and {:?} differ", a.shape, b.shape))),
            _ => Err(Cause::msg(format!("takes two inputs, not {}", inputs.len()))),
        }
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let len = output.len() as u32;
        let step = if inputs[1].batched { len } else { 0 };
        Dispatch {
            kernel: "sum".into(),
            source: SUM.into(),
            access: Access::Own,
            constants: Vec::new(),
            workgroups: [len.div_ceil(64), 1],
            params: [len, step, 0, 0].iter().flat_map(|number| number.to_ne_bytes()).collect(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let mut output = output.floats();
        let [Values::F32(a), Values::F32(b)] = inputs else { unreachable!("the shape rule takes floats") };
        output.assign(a);
        output += b;
    }
}

/// A kernel that a device refuses, with this shader.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) &'static str);

/// No WGSL: refused when it is compiled.
pub(crate) const BROKEN: &str = "fn main( {";

/// Wants more memory than it gets: refused with every batch.
pub(crate) const GREEDY: &str = "
@group(0) @binding(2) var<storage, read_write> y: array<f32, 100000>;
@compute @workgroup_size(1)
fn main() { y[0] = 1.0; }";

impl Kernel for Refused {
    fn name(&self) -> &'static str {
        "refused"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        Ok(inputs[0].clone())
    }

    fn dispatch(&self, _inputs: &[&Spec], _output: &Spec) -> Dispatch {
        let (constants, params) = (Vec::new(), Vec::new());
        Dispatch {
            kernel: "refused".into(),
            source: self.0.into(),
            access: Access::Own,
            constants,
            workgroups: [1, 1],
            params,
            needs: Needs::default(),
        }
    }

    fn twin(&self, _inputs: &[Values<'_>], _output: ValuesMut<'_>) {}
}
