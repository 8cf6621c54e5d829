//! What a plan must hold for any graph, without a device.

use std::sync::Arc;

use ndarray::{ArrayD, IxDyn};
use proptest::prelude::*;

use super::*;
use crate::error::Cause;
use crate::gpu::TensorId;
use crate::gpu::constant::Constant;
use crate::gpu::graph::checked_output;
use crate::kernel::{Access, Dispatch, Element, Kernel, Needs, Precision, Values, ValuesMut};

/// Reads any number of tensors and gives one of `len` floats.
#[derive(Debug)]
struct Mix {
    len: usize,
    workgroups: u32,
}

impl Kernel for Mix {
    fn name(&self) -> &'static str {
        "mix"
    }

    fn output(&self, _inputs: &[&Spec]) -> Result<Spec, Cause> {
        Ok(Spec { element: Element::F32, shape: vec![self.len], batched: true })
    }

    fn dispatch(&self, _inputs: &[&Spec], _output: &Spec) -> Dispatch {
        Dispatch {
            kernel: "mix".into(),
            source: "".into(),
            access: Access::Own,
            constants: Vec::new(),
            workgroups: [self.workgroups, 1],
            params: vec![7; 20],
            needs: Needs::default(),
        }
    }

    fn twin(&self, _inputs: &[Values<'_>], _output: ValuesMut<'_>) {}

    fn multiply_adds(&self, _inputs: &[&Spec], _output: &Spec) -> u64 {
        5
    }
}

fn limits() -> Limits {
    Limits {
        buffer_bytes: 1 << 30,
        binding_bytes: 1 << 20,
        workgroups: 65_535,
        tensors: 8,
        params_alignment: 64,
        ..Limits::twins()
    }
}

fn photo() -> Spec {
    Spec { element: Element::U8, shape: vec![3, 5], batched: true }
}

fn graph() -> (Graph, TensorId) {
    let mut graph = Graph::default();
    let photo = graph.input("photo", photo()).unwrap();
    (graph, photo)
}

fn mix(graph: &mut Graph, len: usize, inputs: &[TensorId]) -> TensorId {
    graph.add(Arc::new(Mix { len, workgroups: 1 }), inputs).unwrap()
}

fn reason(result: Result<Plan, Error>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn kernels_and_constants_that_no_output_needs_are_left_out() {
    let (mut graph, photo) = graph();
    let constant = graph.constant("unused", Constant::floats(&ArrayD::zeros(IxDyn(&[4])))).unwrap();
    let needed = mix(&mut graph, 4, &[photo]);
    mix(&mut graph, 4, &[needed, constant]);
    graph.output("y", needed).unwrap();
    let plan = Plan::new(&graph, 2, 3, &limits()).unwrap();
    assert_eq!((plan.steps.len(), plan.constants.len()), (1, 0));
}

#[test]
fn a_chain_runs_in_two_buffers_of_the_largest_tensors() {
    let (mut graph, photo) = graph();
    let mut tensor = photo;
    for len in [100, 10, 50, 20] {
        tensor = mix(&mut graph, len, &[tensor]);
    }
    graph.output("y", tensor).unwrap();
    let plan = Plan::new(&graph, 2, 3, &limits()).unwrap();
    assert_eq!(plan.shared, [400, 80]);
    assert_eq!(plan.multiply_adds(), 20);
}

#[test]
fn parameters_start_where_the_device_can_bind_them() {
    let (mut graph, photo) = graph();
    let first = mix(&mut graph, 4, &[photo]);
    let second = mix(&mut graph, 4, &[first]);
    graph.output("y", second).unwrap();
    let plan = Plan::new(&graph, 2, 3, &limits()).unwrap();
    assert_eq!(plan.steps.iter().map(|step| step.variant().params).collect::<Vec<_>>(), [(0, 32), (64, 32)]);
    assert_eq!(plan.params.len(), 96);
    assert_eq!(plan.params[64..84], [7; 20]);
}

#[test]
fn rows_stamp_and_times_lie_behind_each_other_in_what_comes_down() {
    let (mut graph, photo) = graph();
    let outputs = [mix(&mut graph, 3, &[photo]), mix(&mut graph, 2, &[photo])];
    graph.output("a", outputs[0]).unwrap();
    graph.output("b", outputs[1]).unwrap();
    let plan = Plan::new(&graph, 3, 3, &limits()).unwrap();
    assert_eq!(plan.outputs.iter().map(|output| output.offset).collect::<Vec<_>>(), [0, 40]);
    assert_eq!((plan.readback_stamp(), plan.readback_times(), plan.readback_bytes()), (64, 72, 120));
    assert_eq!(plan.upload_bytes(), 3 * 16 + 8);
}

#[test]
fn the_error_for_a_batch_that_does_not_fit_says_what_does() {
    let (mut graph, photo) = graph();
    let tensor = mix(&mut graph, 1 << 16, &[photo]);
    graph.output("y", tensor).unwrap();
    assert!(Plan::new(&graph, 4, 3, &limits()).is_ok());
    assert_eq!(
        reason(Plan::new(&graph, 5, 3, &limits())),
        "batch_size: a batch of 5 does not fit the device, 4 would: it has too few bytes in one binding"
    );
    assert_eq!(reason(Plan::new(&graph, 0, 3, &limits())), "batch_size: a batch has at least one item");
}

#[test]
fn a_kernel_that_fits_no_batch_is_named() {
    let (mut graph, photo) = graph();
    let tensor = graph.add(Arc::new(Mix { len: 1, workgroups: 70_000 }), &[photo]).unwrap();
    graph.output("y", tensor).unwrap();
    assert_eq!(
        reason(Plan::new(&graph, 1, 3, &limits())),
        "Program::add: mix.0 f32[1] asks for 70000 × 1 workgroups; 1 to 65535 fit"
    );
}

/// Two ways, of which the second has fewer rounds and is as exact as it says.
#[derive(Debug)]
struct Loops([u32; 2], Precision);

impl Kernel for Loops {
    fn name(&self) -> &'static str {
        "loops"
    }

    fn output(&self, _inputs: &[&Spec]) -> Result<Spec, Cause> {
        Ok(Spec::floats(&[1]))
    }

    fn dispatch(&self, inputs: &[&Spec], output: &Spec) -> Dispatch {
        let needs = Needs { rounds: self.0[0], ..Needs::default() };
        Dispatch { kernel: "loops".into(), needs, ..Mix { len: 1, workgroups: 1 }.dispatch(inputs, output) }
    }

    fn variants(&self, inputs: &[&Spec], output: &Spec) -> Vec<Dispatch> {
        let plain = self.dispatch(inputs, output);
        let needs = Needs { rounds: self.0[1], precision: self.1, ..Needs::default() };
        vec![plain.clone(), Dispatch { kernel: "split".into(), needs, ..plain }]
    }

    fn twin(&self, _inputs: &[Values<'_>], _output: ValuesMut<'_>) {}
}

/// The variants that are left on a device that ends loops after 100 rounds.
fn of_hundred_rounds(loops: Loops) -> Result<Vec<String>, Error> {
    let (mut graph, photo) = graph();
    let tensor = graph.add(Arc::new(loops), &[photo]).unwrap();
    graph.output("y", tensor).unwrap();
    let plan = Plan::new(&graph, 1, 3, &Limits { rounds: 100, ..limits() })?;
    Ok(plan.variants().map(|variant| variant.name.clone()).collect())
}

#[test]
fn a_way_whose_loops_a_device_would_cut_is_left_out() {
    assert_eq!(of_hundred_rounds(Loops([100, 100], Precision::Full)).unwrap(), ["loops", "split"]);
    assert_eq!(of_hundred_rounds(Loops([100, 101], Precision::Full)).unwrap(), ["loops"]);
    assert_eq!(of_hundred_rounds(Loops([101, 100], Precision::Full)).unwrap(), ["split"]);
}

#[test]
fn a_kernel_whose_loops_a_device_would_cut_is_refused_by_name() {
    let wanted = "Program::add: loops.0 needs loops of 101 rounds in an invocation; the device runs 100";
    // A way that is less exact is no way out.
    for (rounds, precision) in [([101, 102], Precision::Full), ([101, 100], Precision::Half)] {
        assert_eq!(of_hundred_rounds(Loops(rounds, precision)).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn a_program_without_outputs_or_inputs_cannot_be_planned() {
    let (graph, _) = graph();
    assert!(reason(Plan::new(&graph, 1, 3, &limits())).contains("nothing to compute"));
    assert!(reason(Plan::new(&Graph::default(), 1, 3, &limits())).contains("a document brings nothing"));
}

#[test]
fn rows_of_several_inputs_lie_behind_each_other_in_what_goes_up() {
    let (mut graph, photo) = graph();
    let other = graph.input("other", Spec::floats(&[3])).unwrap();
    let tensor = mix(&mut graph, 1, &[photo, other]);
    graph.output("y", tensor).unwrap();
    let plan = Plan::new(&graph, 3, 3, &limits()).unwrap();
    assert_eq!(plan.inputs.iter().map(|input| input.offset).collect::<Vec<_>>(), [8, 8 + 3 * 16]);
    assert_eq!(plan.upload_bytes(), 8 + 3 * 16 + 40);
    assert_eq!(plan.steps[0].inputs, [Place::Input(0), Place::Input(1)]);
}

#[test]
fn a_view_has_the_memory_of_its_tensor_and_keeps_it_needed() {
    let (mut graph, photo) = graph();
    let tensor = mix(&mut graph, 6, &[photo]);
    let view = graph.reshape(tensor, &[2, 3]).unwrap();
    let between = mix(&mut graph, 6, &[photo]);
    let last = mix(&mut graph, 6, &[between, view]);
    let flat = graph.reshape(last, &[3, 2]).unwrap();
    graph.output("y", flat).unwrap();
    let plan = Plan::new(&graph, 1, 3, &limits()).unwrap();
    assert_eq!(plan.steps.len(), 3);
    assert_eq!(plan.steps[2].inputs[1], Place::Shared(plan.steps[0].output));
    assert_ne!(plan.steps[1].output, plan.steps[0].output);
    assert_eq!(plan.outputs[0].shape, [3, 2]);
    assert!(graph.reshape(view, &[5]).is_err(), "it has six elements");
}

#[test]
fn parts_of_an_item_count_as_items_where_a_dispatch_is_limited() {
    let mut graph = Graph::default();
    let frames = graph.input("frames", Spec::floats(&[10, 4])).unwrap();
    let each = graph.add_each(Arc::new(Mix { len: 2, workgroups: 1 }), &[frames]).unwrap();
    graph.output("y", each).unwrap();
    let plan = Plan::new(&graph, 6_553, 3, &limits()).unwrap();
    assert_eq!((plan.steps[0].parts, &plan.outputs[0].shape[..]), (10, &[10, 2][..]));
    assert_eq!(plan.multiply_adds(), 50);
    assert!(reason(Plan::new(&graph, 6_554, 3, &limits())).contains("6553 would"));
}

#[test]
fn a_network_of_floats_takes_pixels_once_they_are_normalised() {
    let mut graph = Graph::default();
    let planes = graph.input("photo", Spec::floats(&[3, 4, 5])).unwrap();
    let tensor = mix(&mut graph, 1, &[planes]);
    graph.output("y", tensor).unwrap();
    let normalize = || Arc::new(crate::kernel::Normalize::new([1.0; 3], [2.0; 3]));
    assert!(graph.put_before_input(normalize(), Spec::bytes(&[4, 6, 3])).is_err(), "other planes");
    graph.put_before_input(normalize(), Spec::bytes(&[4, 5, 3])).unwrap();
    let plan = Plan::new(&graph, 1, 3, &limits()).unwrap();
    assert_eq!(plan.inputs[0].spec, Spec::bytes(&[4, 5, 3]));
    assert_eq!(plan.steps[1].inputs, [Place::Shared(plan.steps[0].output)]);
}

#[test]
fn what_makes_no_sense_is_refused_where_it_is_said() {
    let (mut graph, photo) = graph();
    assert!(graph.input("photo", self::photo()).is_err(), "the name is taken");
    assert!(
        graph.constant("none", Constant::floats(&ArrayD::zeros(IxDyn(&[0])))).is_err(),
        "it has no elements"
    );
    assert!(graph.output("y", photo).is_err(), "no kernel gives it");
    let (mut other, stranger) = self::graph();
    assert!(graph.add(Arc::new(Mix { len: 1, workgroups: 1 }), &[stranger]).is_err(), "another program's");
    assert!(graph.add(Arc::new(Mix { len: 0, workgroups: 1 }), &[photo]).is_err(), "it has no elements");
    let tensor = mix(&mut other, 1, &[stranger]);
    other.output("y", tensor).unwrap();
    assert!(other.output("y", tensor).is_err(), "the name is taken");
}

#[test]
fn a_plan_prints_a_line_a_kernel() {
    let (mut graph, photo) = graph();
    let tensor = mix(&mut graph, 4, &[photo]);
    graph.output("y", tensor).unwrap();
    let text = Plan::new(&graph, 2, 3, &limits()).unwrap().to_string();
    assert!(text.lines().next().unwrap().contains("photo u8[3,5]"), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("mix.0")).count(), 1, "{text}");
}

#[test]
fn halves_are_counted_by_the_u32_that_hold_them_and_named_in_the_text() {
    let (mut graph, photo) = graph();
    let halves = graph.constant("halves", Constant::halves(&ArrayD::zeros(IxDyn(&[5])))).unwrap();
    let floats = graph.constant("floats", Constant::floats(&ArrayD::zeros(IxDyn(&[5])))).unwrap();
    let tensor = mix(&mut graph, 4, &[photo, halves, floats]);
    graph.output("y", tensor).unwrap();
    let plan = Plan::new(&graph, 2, 3, &limits()).unwrap();
    assert_eq!((plan.constant_bytes(), plan.steps[0].constant_bytes), (12 + 20, 12 + 20));
    let text = plan.to_string();
    assert!(text.contains("f16[5] f32[5]\n"), "{text}");
}

#[test]
fn a_device_that_cannot_widen_halves_gets_floats() {
    let (mut graph, photo) = graph();
    let bits = ArrayD::from_elem(IxDyn(&[5]), 0x3c00);
    let halves = graph.constant("halves", Constant::halves(&bits)).unwrap();
    let view = graph.reshape(halves, &[5, 1]).unwrap();
    let tensor = mix(&mut graph, 4, &[photo, halves, view]);
    graph.output("y", tensor).unwrap();
    let wide = graph.widened();
    let plan = Plan::new(&wide, 2, 3, &limits()).unwrap();
    assert_eq!(plan.constant_bytes(), 20);
    assert!(plan.to_string().contains("f32[5] f32[5,1]\n"), "{plan}");
    let constant = &wide.tensors[plan.constants[0]].origin;
    let Origin::Constant(Constant::F32(values)) = constant else { panic!("no floats: {constant:?}") };
    assert_eq!(values.as_slice(), Some(&[1.0; 5][..]));
}

#[test]
fn halves_are_neither_given_nor_brought_by_items() {
    let mut graph = Graph::default();
    let halves = Spec { batched: true, ..Spec::constant_f16(&[4]) };
    assert!(graph.input("x", halves.clone()).is_err());
    assert_eq!(checked_output(halves, 1).unwrap_err().to_string(), "a kernel gives f32 or i32, not f16");
}

proptest! {
    /// Runs the plan with names in place of numbers: every step must find in its buffers what it reads.
    #[test]
    fn no_tensor_is_overwritten_before_its_last_reader(
        links in proptest::collection::vec((proptest::collection::vec(any::<prop::sample::Index>(), 1..4), 1usize..50), 1..30),
        outputs in proptest::collection::vec(any::<prop::sample::Index>(), 1..4),
    ) {
        let (mut graph, photo) = graph();
        let mut tensors = vec![photo];
        for (inputs, len) in &links {
            let inputs: Vec<TensorId> = inputs.iter().map(|index| *index.get(&tensors)).collect();
            tensors.push(mix(&mut graph, *len, &inputs));
        }
        for (number, output) in outputs.iter().enumerate() {
            graph.output(&number.to_string(), *output.get(&tensors[1..])).unwrap();
        }
        let plan = Plan::new(&graph, 1, 3, &limits()).unwrap();
        let mut shared = vec![None; plan.shared.len()];
        for step in &plan.steps {
            let node = &graph.nodes[step.node];
            for (place, tensor) in step.inputs.iter().zip(&node.inputs) {
                if let Place::Shared(buffer) = place {
                    prop_assert_eq!(shared[*buffer], Some(*tensor));
                    prop_assert_ne!(*buffer, step.output);
                }
            }
            shared[step.output] = Some(node.output);
        }
        for (output, (_, tensor)) in plan.outputs.iter().zip(&graph.outputs) {
            prop_assert_eq!(shared[output.buffer], Some(*tensor));
        }
    }
}
