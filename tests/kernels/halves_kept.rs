//! With `Precision::Half` tensors between kernels are kept as halves, and what comes out is near what floats give.

use gapless::gpu::TensorId;
use gapless::kernel::{
    Attention, Binary, BinaryOp, Cast, Conv2d, Dispatch, Element, GlobalAveragePool, Kernel, LayerNorm,
    MatMul, Precision, Rearrange, Softmax, Spec, Unary, UnaryOp, Values, ValuesMut, examples,
};
use gapless::{Cause, Gpu, Program};
use ndarray::{ArrayD, Dimension, IxDyn};

use crate::check::{device_with_shaders, output};
use crate::near::{Near, assert_near};
use crate::numbers::Numbers;

/// Halves have eleven digits, and a kernel or two stand between what is rounded and what is compared.
const HALVES: Near = Near::Largest(2e-2);

/// A device that computes with halves.
fn device_with_halves() -> Option<Gpu> {
    let gpu = device_with_shaders()?;
    if !gpu.limits().f16 {
        eprintln!("left out: {} has no 16-bit floats", gpu.info().name);
        return None;
    }
    Some(gpu)
}

/// A convolution, a normalisation, attention, and what they are joined by.
fn net(gpu: &Gpu) -> Program {
    let mut n = Numbers::new(91);
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&[8, 6, 6])).unwrap();
    let [conv, wide] = [[8, 8, 3, 3].to_vec(), [8, 24].to_vec()]
        .map(|shape| n.floats(&shape).mapv_into(|value| value / 8.0));
    let scale = net.constant("scale", n.floats(&[8])).unwrap();
    let [conv, wide] =
        [("conv", conv), ("wide", wide)].map(|(name, values)| net.constant(name, values).unwrap());
    let x = net.add(Conv2d::new().pads([1; 4]), &[x, conv]).unwrap();
    let x = net.add(Unary::new(UnaryOp::Gelu), &[x]).unwrap();
    let rows = net.reshape(x, &[8, 36]).unwrap();
    let rows = net.add(Rearrange::transpose([1, 0]), &[rows]).unwrap();
    let normal = net.add(LayerNorm::new(1, 1e-5), &[rows, scale]).unwrap();
    let all = net.add(MatMul::new(), &[normal, wide]).unwrap();
    let part = |net: &mut Program, number: i64| -> TensorId {
        net.add(Rearrange::slice([0, 8 * number], [36, 8 * number + 8], [1, 1]), &[all]).unwrap()
    };
    let [q, k, v] = [0, 1, 2].map(|number| part(&mut net, number));
    let seen = net.add(Attention::new(0.3), &[q, k, v]).unwrap();
    let joined = net.add(Binary::new(BinaryOp::Add), &[seen, rows]).unwrap();
    let planes = net.reshape(joined, &[36, 8, 1]).unwrap();
    let means = net.add(GlobalAveragePool::new(), &[planes]).unwrap();
    let y = net.add(Softmax::new(), &[means]).unwrap();
    net.output("y", y).unwrap();
    net
}

#[test]
fn half_as_many_bytes_are_moved_and_the_result_is_near() {
    let Some(gpu) = device_with_halves() else { return };
    let batch = Numbers::new(92).batch(3, &[8, 6, 6]);
    let [mut floats, mut halves] =
        [Precision::Full, Precision::Half].map(|precision| net(&gpu).precision(precision));
    let [wide, narrow] = [&floats, &halves].map(|net| net.plan(3).unwrap());
    let shapes: Vec<&str> = narrow.kernels().map(|kernel| kernel.shape).collect();
    let (last, before) = shapes.split_last().unwrap();
    assert!(last.starts_with("f32[") && before.iter().all(|shape| shape.starts_with("f16[")), "{narrow}");
    let item = |plan: &gapless::gpu::Plan| plan.kernels().map(|kernel| kernel.item_bytes).sum::<u64>();
    // The input and the output stay floats.
    assert!(item(&narrow) < item(&wide) * 6 / 10, "{} of {}", item(&narrow), item(&wide));
    let (given, wanted) = (output(&mut halves, &batch), output(&mut floats, &batch));
    assert_near(&given, &wanted, HALVES, "a small network");
    assert_ne!(given, wanted, "halves leave a trace");
}

/// Values that a kernel takes for an input of these elements.
fn given(n: &mut Numbers, spec: &Spec) -> ArrayD<f32> {
    match spec.element {
        Element::I32 => ArrayD::from_shape_fn(IxDyn(&spec.shape), |place| {
            (place.slice().iter().sum::<usize>() % 2) as f32
        }),
        _ => n.floats(&spec.shape),
    }
}

/// A kernel of any type.
#[derive(Debug)]
struct Given(Box<dyn Kernel>);

impl Kernel for Given {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        self.0.output(inputs)
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        self.0.dispatch(inputs, output)
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        self.0.variants(inputs, output)
    }

    fn twin(&self, inputs: &[Values<'_>], output: ValuesMut<'_>) {
        self.0.twin(inputs, output);
    }
}

/// The kernel behind a normalisation, whose rows are kept as halves.
fn behind_halves(
    gpu: &Gpu,
    kernel: Box<dyn Kernel>,
    inputs: &[Spec],
    values: &[ArrayD<f32>],
) -> Option<Program> {
    let mut net = Program::new(gpu).precision(Precision::Half);
    let mut ids = Vec::new();
    for (index, (spec, values)) in inputs.iter().zip(values).enumerate() {
        let name = format!("x{index}");
        ids.push(match (spec.batched, spec.element) {
            (true, Element::F32) => {
                let x = net.input(&name, spec.clone()).unwrap();
                // A row of another mean than 0, so that sums of it are not what is left of their roundings.
                let row = ArrayD::from_elem(IxDyn(&spec.shape[spec.shape.len() - 1..]), 0.75);
                let row = net.constant(&format!("row{index}"), row).unwrap();
                net.add(LayerNorm::new(spec.shape.len() - 1, 1.0), &[x, row, row]).unwrap()
            }
            (true, _) => net.input(&name, spec.clone()).unwrap(),
            (false, Element::F32) => net.constant(&name, values.clone()).unwrap(),
            (false, _) => return None,
        });
    }
    let y = net.add(Given(kernel), &ids).unwrap();
    net.output("y", y).unwrap();
    Some(net)
}

#[test]
fn every_kernel_reads_what_is_kept_as_halves() {
    let Some(gpu) = device_with_halves() else { return };
    let mut n = Numbers::new(93);
    let mut tried = 0;
    for example in examples::all() {
        let specs: Vec<&Spec> = example.inputs.iter().collect();
        let gives_floats = example.kernel.output(&specs).unwrap().element == Element::F32;
        let rows = |spec: &Spec| !spec.shape.is_empty() && spec.element == Element::F32 && spec.batched;
        let name = example.kernel.name().to_owned();
        // Places of the largest are others where values become equal.
        if !gives_floats
            || example.values.is_some()
            || !example.inputs.iter().any(rows)
            || ["arg_reduce", "top_k"].contains(&&*name)
        {
            continue;
        }
        let values: Vec<_> = example.inputs.iter().map(|spec| given(&mut n, spec)).collect();
        let items = example.inputs.iter().zip(&values).filter(|(spec, _)| spec.batched);
        let item: Vec<_> = items.map(|(_, values)| values.clone()).collect();
        let Some(mut net) = behind_halves(&gpu, example.kernel, &example.inputs, &values) else { continue };
        let wanted = output(&mut net.on(&Gpu::cpu()), std::slice::from_ref(&item));
        assert_near(&output(&mut net, &[item]), &wanted, HALVES, &name);
        tried += 1;
    }
    assert!(tried > 30, "{tried} kernels");
}

#[test]
fn sums_of_products_with_bytes_stay_floats_until_their_scale_is_behind_them() {
    let Some(gpu) = device_with_halves() else { return };
    let mut net = Program::new(&gpu);
    let x = net.input("x", Spec::floats(&[1, 40])).unwrap();
    let weight = net.constant_i8("w", ArrayD::from_elem(IxDyn(&[40, 3]), 127)).unwrap();
    let scale = net.constant("s", ArrayD::from_elem(IxDyn(&[]), 1e-3)).unwrap();
    let sums = net.add(MatMul::new(), &[x, weight]).unwrap();
    let whole = net.add(Cast::to_ints(), &[sums]).unwrap();
    let scaled = net.add(Binary::new(BinaryOp::Mul), &[sums, scale]).unwrap();
    let softened = net.add(Softmax::new(), &[scaled]).unwrap();
    net.output("whole", whole).unwrap();
    net.output("shares", softened).unwrap();
    let net = net.precision(Precision::Half);
    let plan = net.plan(1).unwrap().to_string();
    assert!(plan.contains("f16[1,3]"), "what is scaled is kept as halves: {plan}");
    let item = ArrayD::from_elem(IxDyn(&[1, 40]), 100.0_f32);
    let tensors = net.run_once(&item).unwrap();
    assert_eq!(tensors.ints("whole").unwrap().as_slice(), Some(&[508_000; 3][..]));
    assert!(tensors["shares"].iter().all(|share| (share - 1.0 / 3.0).abs() < 1e-3));
}
