//! A kernel of the user's own, from WGSL text.

use std::fmt;

use bytemuck::NoUninit;
use ndarray::ArrayViewMutD;

use super::{Access, Dispatch, Element, Kernel, Needs, Spec, Values, ValuesMut, grid, rule};
use crate::error::Cause;

/// A kernel of your own: WGSL text, and what the text alone does not say.
///
/// # The contract
/// - **Bindings**, all in group 0: 0 the parameters (`var<uniform>`), then every input in order
///   (`var<storage, read>`), then the output (`var<storage, read_write>`). An f32 tensor is an `array<f32>`
///   in row-major order; a u8 tensor is an `array<u32>` of four bytes each, every item padded to
///   [`Spec::item_bytes`]; an f16 constant, where [`output`](Self::output) accepts it, is an `array<u32>` of two
///   values each for `unpack2x16float`, and floats for the twin.
/// - **Batch**: `workgroup_id.z` is the item, `num_workgroups.z` how many there are. The shader finds its item at
///   `z * elements of one item`; a constant is there once, at 0.
/// - **Workgroups**: by default there are as many in x as cover one output item with one invocation a value
///   and 64 of them in a workgroup: `@workgroup_size(64)`. Above 65,535 they are folded over y, so the place of
///   a workgroup is `workgroup_id.y * num_workgroups.x + workgroup_id.x`, and the shader returns early past the
///   end. [`workgroups`](Self::workgroups) says otherwise.
/// - **Parameters**: by default `struct { len: u32 }`, the number of values of one output item.
///   [`params`](Self::params) says otherwise. A uniform struct has a size of a multiple of 16 bytes; what is
///   missing is filled up.
/// - **Shape rule**: by default there is one input, and the output has its shape.
///   [`output`](Self::output) says otherwise. An output is always of floats.
/// - **Twin**: what the kernel does on the CPU, one item at a time. Without one the program runs on devices
///   only, and opening it on [`Gpu::cpu`](crate::Gpu::cpu) is an error that names the kernel.
/// - **Entry point**: the only one that the text has. `override` constants are set with
///   [`constant`](Self::constant).
///
/// Text that is no WGSL, or that does not keep to the contract, is an error when the program is opened, with the
/// line; nothing was run by then.
///
/// ```
/// use gapless::kernel::{Spec, Values, Wgsl};
/// use gapless::{Gpu, Program};
///
/// let gamma = Wgsl::new("gamma", "
///     struct Params { len: u32 }
///     @group(0) @binding(0) var<uniform> params: Params;
///     @group(0) @binding(1) var<storage, read> x: array<f32>;
///     @group(0) @binding(2) var<storage, read_write> y: array<f32>;
///     override exponent: f32;
///
///     @compute @workgroup_size(64)
///     fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
///             @builtin(local_invocation_index) local: u32) {
///         let index = (group.y * groups.x + group.x) * 64u + local;
///         if index >= params.len { return; }
///         let place = group.z * params.len + index;
///         y[place] = pow(x[place], exponent);
///     }")
///     .constant("exponent", 0.5)
///     .twin(|inputs, mut output| {
///         let Values::F32(x) = &inputs[0] else { unreachable!("the shape rule takes floats") };
///         output.zip_mut_with(x, |y, x| *y = x.powf(0.5));
///     });
/// let mut net = Program::new(&Gpu::cpu());
/// let x = net.input("x", Spec::floats(&[3, 8, 8]))?;
/// let y = net.add(gamma, &[x])?;
/// net.output("y", y)?;
/// # Ok::<(), gapless::Error>(())
/// ```
#[doc(alias = "Kernel::wgsl")]
#[must_use]
pub struct Wgsl {
    name: String,
    source: String,
    constants: Vec<(String, f64)>,
    needs: Needs,
    output: Box<ShapeRule>,
    workgroups: Box<Workgroups>,
    params: Box<Params>,
    multiply_adds: Box<Count>,
    twin: Option<Box<Twin>>,
}

type ShapeRule = dyn Fn(&[&Spec]) -> Result<Spec, Cause> + Send + Sync;
type Workgroups = dyn Fn(&[&Spec], &Spec) -> [u32; 2] + Send + Sync;
type Params = dyn Fn(&[&Spec], &Spec) -> Vec<u8> + Send + Sync;
type Count = dyn Fn(&[&Spec], &Spec) -> u64 + Send + Sync;
type Twin = dyn Fn(&[Values<'_>], ArrayViewMutD<'_, f32>) + Send + Sync;

impl Wgsl {
    /// A kernel with this name, which labels it everywhere, and this text.
    pub fn new(name: impl Into<String>, source: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            source: source.into(),
            constants: Vec::new(),
            needs: Needs::default(),
            output: Box::new(same_shape),
            workgroups: Box::new(|_, output| grid::cover(output.len(), 64)),
            params: Box::new(|_, output| (output.len() as u32).to_ne_bytes().to_vec()),
            multiply_adds: Box::new(|_, _| 0),
            twin: None,
        }
    }

    /// Sets an `override` constant of the text.
    pub fn constant(mut self, name: impl Into<String>, value: f64) -> Self {
        self.constants.push((name.into(), value));
        self
    }

    /// What the text needs that not every device has; by default nothing. A device that lacks it refuses the
    /// program; the twins do not.
    pub fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    /// The shape rule: the output for these inputs, or what would fit.
    pub fn output(mut self, rule: impl Fn(&[&Spec]) -> Result<Spec, Cause> + Send + Sync + 'static) -> Self {
        self.output = Box::new(rule);
        self
    }

    /// Workgroups in x and y for one item, from the inputs and the output; 1 to 65,535 each.
    pub fn workgroups(mut self, count: impl Fn(&[&Spec], &Spec) -> [u32; 2] + Send + Sync + 'static) -> Self {
        self.workgroups = Box::new(count);
        self
    }

    /// The parameters, from the inputs and the output, laid out as the struct of the text is.
    pub fn params<P: NoUninit>(
        mut self,
        params: impl Fn(&[&Spec], &Spec) -> P + Send + Sync + 'static,
    ) -> Self {
        self.params = Box::new(move |inputs, output| bytemuck::bytes_of(&params(inputs, output)).to_vec());
        self
    }

    /// Multiply-adds of one item, for reports of achieved rates; none by default.
    pub fn multiply_adds(mut self, count: impl Fn(&[&Spec], &Spec) -> u64 + Send + Sync + 'static) -> Self {
        self.multiply_adds = Box::new(count);
        self
    }

    /// What the kernel gives for one item, on the CPU. It must write every value of the output.
    pub fn twin(
        mut self,
        twin: impl Fn(&[Values<'_>], ArrayViewMutD<'_, f32>) + Send + Sync + 'static,
    ) -> Self {
        self.twin = Some(Box::new(twin));
        self
    }
}

/// The shape rule of a kernel that changes values one by one.
fn same_shape(inputs: &[&Spec]) -> Result<Spec, Cause> {
    match inputs {
        [x] if matches!(x.element, Element::F16 | Element::I8) => {
            Err(rule::misfit("x", x, "an f32 or u8 activation would fit a kernel without a shape rule"))
        }
        [x] => Ok(Spec { element: Element::F32, ..(*x).clone() }),
        _ => Err(Cause::msg(format!(
            "takes one input, not {}; a kernel with several has a shape rule (Wgsl::output)",
            inputs.len()
        ))),
    }
}

impl Kernel for Wgsl {
    fn name(&self) -> &str {
        &self.name
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        (self.output)(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        Dispatch {
            kernel: self.name.clone().into(),
            source: self.source.clone().into(),
            access: Access::Own,
            constants: self.constants.iter().map(|(name, value)| (name.clone().into(), *value)).collect(),
            workgroups: (self.workgroups)(inputs, output),
            params: (self.params)(inputs, output),
            needs: self.needs,
        }
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        let output = output.floats();
        let twin =
            self.twin.as_ref().expect("a program with a kernel without twin is not opened on the twins");
        twin(inputs, output);
    }

    fn has_twin(&self) -> bool {
        self.twin.is_some()
    }

    fn multiply_adds(&self, inputs: &[&Spec], output: &Spec) -> u64 {
        (self.multiply_adds)(inputs, output)
    }
}

impl fmt::Debug for Wgsl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, constants, .. } = self;
        f.debug_struct("Wgsl").field("name", name).field("constants", constants).finish_non_exhaustive()
    }
}
