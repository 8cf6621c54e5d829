//! Every shader, read and found valid.

use gapless::kernel::examples::{self, Example};
use gapless::kernel::{
    Binary, BinaryOp, Dispatch, Element, Epilogue, Kernel, Needs, Precision, Rearrange, Spec, Unary, UnaryOp,
};
use naga::Module;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};

/// Every variant of the example.
pub(crate) fn dispatches(example: &Example) -> Vec<Dispatch> {
    let (variants, inputs, output) = variants(example);
    let inputs: Vec<_> = inputs.iter().collect();
    variants.into_iter().map(|dispatch| dispatch.written(&inputs, &output, &Epilogue::default())).collect()
}

/// The same with all that may follow in the same pass, where something may.
pub(crate) fn chains(example: &Example) -> Vec<Dispatch> {
    let (mut variants, inputs, output) = variants(example);
    let inputs: Vec<_> = inputs.iter().collect();
    variants.retain(Dispatch::takes_more);
    if output.element != Element::F32 {
        return Vec::new();
    }
    let (then, turned) = (all_that_may_follow(&output), in_another_order(&output));
    let both =
        |dispatch: Dispatch| [&then, &turned].map(|then| dispatch.clone().written(&inputs, &output, then));
    variants.into_iter().flat_map(both).collect()
}

fn variants(example: &Example) -> (Vec<Dispatch>, Vec<Spec>, Spec) {
    let inputs: Vec<_> = example.inputs.iter().collect();
    let output = example.kernel.output(&inputs).expect("an example is accepted");
    let variants = example.kernel.variants(&inputs, &output);
    assert_eq!(variants[0], example.kernel.dispatch(&inputs, &output), "the plainest is first");
    (variants, example.inputs.clone(), output)
}

/// A function, then the axes the other way round, then two functions of what stands so.
fn in_another_order(output: &Spec) -> Epilogue {
    let relu = Unary::relu().each().expect("one");
    let sum = Binary::add().each().expect("one");
    let shape: Vec<usize> = output.shape.iter().rev().copied().collect();
    let turn = Rearrange::transpose((0..shape.len()).rev().collect::<Vec<_>>());
    let (turned, other) = (Spec::floats(&shape), Spec::constant(&shape[shape.len().min(1)..]));
    let then = Epilogue::default().with(relu, &[output], &[Some(0)], output);
    let then = then.and_then(|then| turn.behind(then, &shape));
    let then = then.and_then(|then| then.with(sum, &[&turned, &other], &[Some(0), None], &turned));
    then.and_then(|then| then.with(relu, &[&turned], &[Some(1)], &turned)).expect("it can follow")
}

/// Functions of one value and of two, whose other values lie in every way in which they can.
fn all_that_may_follow(output: &Spec) -> Epilogue {
    let ones = |from: usize| {
        output.shape.iter().enumerate().map(move |(axis, &len)| if axis < from { 1 } else { len })
    };
    let until =
        |to: usize| output.shape.iter().enumerate().map(move |(axis, &len)| if axis < to { len } else { 1 });
    let rank = output.shape.len();
    let shapes = (0..=rank).flat_map(|axis| [ones(axis).collect(), until(axis).collect::<Vec<usize>>()]);
    let mut then = Epilogue::default();
    for op in
        [UnaryOp::Gelu, UnaryOp::Sin, UnaryOp::Clip { low: 0.0, high: 6.0 }, UnaryOp::ToF16, UnaryOp::Tanh]
    {
        then = then
            .with(Unary::new(op).each().expect("one"), &[output], &[Some(0)], output)
            .expect("it is of floats");
    }
    let twice = Binary::new(BinaryOp::Sub).each().expect("one");
    then = then.with(twice, &[output, output], &[Some(1), Some(0)], output).expect("it is of floats");
    for (number, shape) in shapes.enumerate() {
        let op = [BinaryOp::Add, BinaryOp::Pow, BinaryOp::Fmod, BinaryOp::Less][number % 4];
        let other = Spec { batched: number % 3 == 0, ..Spec::floats(&shape) };
        let (inputs, values) = if number % 2 == 0 {
            ([output, &other], [Some(number), None])
        } else {
            ([&other, output], [None, Some(0)])
        };
        then = then
            .with(Binary::new(op).each().expect("one"), &inputs, &values, output)
            .expect("it has one block of axes");
    }
    then
}

fn parse(source: &str) -> Module {
    naga::front::wgsl::parse_str(source).unwrap_or_else(|error| {
        panic!("{}", error.emit_to_string(source));
    })
}

/// What a device that has these can do. All others have `SHADER_FLOAT16_IN_FLOAT32` alone, and one that
/// lacks it too gets no shader that reads halves.
pub(crate) fn capabilities(needs: Needs) -> Capabilities {
    let mut capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    capabilities.set(Capabilities::SUBGROUP, needs.subgroups);
    capabilities.set(Capabilities::SHADER_FLOAT16, needs.precision > Precision::Full);
    capabilities
}

fn check(dispatch: &Dispatch) -> (Module, ModuleInfo) {
    let module = parse(&dispatch.source);
    let info = Validator::new(ValidationFlags::all(), capabilities(dispatch.needs))
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(&dispatch.source)));
    (module, info)
}

pub(crate) fn for_every_shader(check_one: impl Fn(&Example, &Dispatch, &Module, &ModuleInfo)) {
    for_every(dispatches, check_one);
}

/// The same with all that may follow in the same pass.
pub(crate) fn for_every_chain(check_one: impl Fn(&Example, &Dispatch, &Module, &ModuleInfo)) {
    for_every(chains, check_one);
}

fn for_every(
    of: impl Fn(&Example) -> Vec<Dispatch>,
    check_one: impl Fn(&Example, &Dispatch, &Module, &ModuleInfo),
) {
    for example in examples::all() {
        for dispatch in of(&example) {
            let (module, info) = check(&dispatch);
            check_one(&example, &dispatch, &module, &info);
        }
    }
}

/// Every shader that computes what another kernel gives.
pub(crate) fn for_every_joined(check_one: impl Fn(&Dispatch, &Module, &ModuleInfo)) {
    for dispatch in examples::joined() {
        let (module, info) = check(&dispatch);
        check_one(&dispatch, &module, &info);
    }
}
