//! How a program is put together: tensor by tensor, each checked when it is added.

use std::sync::Arc;

use ndarray::ArrayD;

use super::Program;
use crate::error::Error;
use crate::gpu::TensorId;
use crate::gpu::constant::Constant;
use crate::kernel::{Kernel, Normalize, Spec};

impl Program {
    /// Takes photos as they were decoded: the only input, planes `[channels, height, width]` of floats,
    /// becomes pixels `[height, width, channels]` of bytes, and a shader gives
    /// `(pixel - mean[channel]) / std[channel]`.
    ///
    /// What does not fit is an error when the program is planned or run.
    ///
    /// ```
    /// use gapless::kernel::{GlobalAveragePool, Spec};
    /// use gapless::{Gpu, Program};
    /// let mut net = Program::new(&Gpu::cpu());
    /// let planes = net.input("photo", Spec::floats(&[3, 224, 224]))?;
    /// let means = net.add(GlobalAveragePool::new(), &[planes])?;
    /// net.output("means", means)?;
    /// let net = net.normalize([127.0; 3], [128.0; 3]);
    /// assert!(net.plan(16)?.to_string().contains("photo u8[224,224,3]"));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn normalize(mut self, mean: impl Into<Vec<f32>>, std: impl Into<Vec<f32>>) -> Self {
        let pixels = match self.graph.inputs()[..] {
            [input] => match self.graph.tensors[input].spec.shape[..] {
                [channels, height, width] => Spec::bytes(&[height, width, channels]),
                _ => Spec::bytes(&[]),
            },
            _ => Spec::bytes(&[]),
        };
        let kernel = Arc::new(Normalize::new(mean, std));
        self.broken = self.graph().put_before_input(kernel, pixels).err().or(self.broken);
        self
    }

    /// A tensor that every item brings. Its `spec` has the shape of one item.
    ///
    /// A program may have several inputs; an item then has an array for each, in this order.
    ///
    /// # Errors
    /// If the name is taken, the spec is not batched, or the shape has no elements.
    pub fn input(&mut self, name: &str, spec: Spec) -> Result<TensorId, Error> {
        self.graph().input(name, spec)
    }

    /// A tensor that is the same for all items, such as a weight. It is uploaded once.
    ///
    /// # Errors
    /// If the name is taken or the array has no elements.
    pub fn constant(&mut self, name: &str, values: ArrayD<f32>) -> Result<TensorId, Error> {
        self.graph().constant(name, Constant::floats(&values))
    }

    /// A constant of 16-bit floats (IEEE 754 binary16), given by their bits: half the bytes on the device,
    /// where [`Conv2d`](crate::kernel::Conv2d) and [`MatMul`](crate::kernel::MatMul) widen each value as they
    /// read it, and compute in f32. Other kernels refuse it. The twins widen it once, when the program is opened.
    ///
    /// ```
    /// use gapless::kernel::{MatMul, Spec};
    /// use gapless::{Gpu, Program};
    /// use ndarray::{ArrayD, IxDyn};
    /// let mut net = Program::new(&Gpu::cpu());
    /// let x = net.input("x", Spec::floats(&[1, 64]))?;
    /// let ones = net.constant_f16("ones", ArrayD::from_elem(IxDyn(&[64, 10]), 0x3c00))?;
    /// let y = net.add(MatMul::new(), &[x, ones])?;
    /// net.output("y", y)?;
    /// assert_eq!(net.plan(16)?.constant_bytes(), 2 * 64 * 10);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the name is taken or the array has no elements.
    pub fn constant_f16(&mut self, name: &str, bits: ArrayD<u16>) -> Result<TensorId, Error> {
        self.graph().constant(name, Constant::halves(&bits))
    }

    /// A constant of whole numbers from −128 to 127: a quarter of the bytes on the device, where
    /// [`Conv2d`](crate::kernel::Conv2d) and [`MatMul`](crate::kernel::MatMul) read each as a float. Other kernels refuse
    /// it. The scale of quantised weights is a factor of what the kernel gives, and so no pass of its own.
    ///
    /// ```
    /// use gapless::kernel::{Binary, BinaryOp, MatMul, Spec};
    /// use gapless::{Gpu, Program};
    /// use ndarray::{ArrayD, IxDyn, arr1};
    /// let mut net = Program::new(&Gpu::best()?);
    /// let x = net.input("x", Spec::floats(&[1, 64]))?;
    /// let weight = net.constant_i8("weight", ArrayD::from_elem(IxDyn(&[64, 2]), -3))?;
    /// let scale = net.constant("scale", arr1(&[0.5, 0.25]).into_dyn())?;
    /// let sums = net.add(MatMul::new(), &[x, weight])?;
    /// let y = net.add(Binary::new(BinaryOp::Mul), &[sums, scale])?;
    /// net.output("y", y)?;
    /// assert_eq!((net.plan(1)?.kernels().count(), net.plan(1)?.constant_bytes()), (1, 64 * 2 + 4 * 2));
    /// assert_eq!(net.run_once(&ArrayD::<f32>::ones(IxDyn(&[1, 64])))?["y"].as_slice(), Some(&[-96.0, -48.0][..]));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the name is taken or the array has no elements.
    pub fn constant_i8(&mut self, name: &str, values: ArrayD<i8>) -> Result<TensorId, Error> {
        self.graph().constant(name, Constant::bytes(&values))
    }

    /// A constant of whole numbers, for kernels that take such.
    ///
    /// # Errors
    /// If the name is taken or the array has no elements.
    pub fn constant_ints(&mut self, name: &str, values: ArrayD<i32>) -> Result<TensorId, Error> {
        self.graph().constant(name, Constant::ints(&values))
    }

    /// What `kernel` gives for these tensors.
    ///
    /// # Errors
    /// If the kernel does not accept the inputs; the error names both.
    pub fn add(&mut self, kernel: impl Kernel, inputs: &[TensorId]) -> Result<TensorId, Error> {
        self.graph().add(Arc::new(kernel), inputs)
    }

    /// What `kernel` gives for each part of these tensors along their first axis, which is equally long in
    /// all that are batched; constants are seen whole by each. The parts' outputs stand one after the
    /// other along a first axis of the same length.
    ///
    /// ```
    /// use gapless::kernel::{GlobalAveragePool, Spec};
    /// use gapless::{Gpu, Program};
    /// let mut net = Program::new(&Gpu::cpu());
    /// let frames = net.input("frames", Spec::floats(&[10, 3, 64, 64]))?;
    /// let means = net.add_each(GlobalAveragePool::new(), &[frames])?;
    /// assert_eq!(net.spec(means), Some(&Spec::floats(&[10, 3])));
    /// # Ok::<(), gapless::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the first axes differ, the tensors are bytes, or the kernel does not accept the parts.
    pub fn add_each(&mut self, kernel: impl Kernel, inputs: &[TensorId]) -> Result<TensorId, Error> {
        self.graph().add_each(Arc::new(kernel), inputs)
    }

    /// The values of a tensor in another shape with as many elements, in row-major order. It is a view: no
    /// kernel and no memory.
    ///
    /// # Errors
    /// If the number of elements differs.
    pub fn reshape(&mut self, tensor: TensorId, shape: &[usize]) -> Result<TensorId, Error> {
        self.graph().reshape(tensor, shape)
    }

    /// Makes a tensor an output of this name.
    ///
    /// # Errors
    /// If the name is taken, or the tensor is not what a kernel gives.
    pub fn output(&mut self, name: &str, tensor: TensorId) -> Result<(), Error> {
        self.graph().output(name, tensor)
    }

    /// Leaves these outputs and no others, in this order: the rest is not read back, and what only the rest needs is
    /// not computed. By default every output is given.
    ///
    /// A name that is no output is an error when the program is planned or run.
    ///
    /// ```
    /// use gapless::{Gpu, Program};
    /// let net = Program::onnx(&Gpu::cpu(), "models/efficientnet-lite0.onnx")?;
    /// assert_eq!(net.outputs().map(|(name, _)| name).collect::<Vec<_>>(), ["prob", "embedding"]);
    /// let net = net.only_outputs(["embedding"]);
    /// assert_eq!(net.outputs().map(|(name, _)| name).collect::<Vec<_>>(), ["embedding"]);
    /// # Ok::<(), gapless::Error>(())
    /// ```
    pub fn only_outputs<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.broken = self.graph().keep_outputs(names).err().or(self.broken);
        self
    }
}
