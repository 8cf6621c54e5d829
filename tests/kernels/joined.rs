//! What a convolution reads, of one with a channel a group or of tensors one after the other, is computed where it reads
//! it, where that is faster, and it gives the same.

use gapless::gpu::TensorId;
use gapless::kernel::{
    Binary, BinaryOp, Concat, Conv2d, Element, Normalize, Precision, Spec, Unary, UnaryOp,
};
use gapless::{Gpu, Program};
use ndarray::ArrayD;

use crate::check::{cases_on_device, compare, device_with_shaders, output};
use crate::near::{Near, SUMS};
use crate::numbers::Numbers;

/// The ways to do two in one.
const WAYS: [&str; 3] = ["conv2d_tall+joined", "conv2d_tiled+joined", "conv2d_tiled_vec4+joined"];

/// Two convolutions that are put together from numbers, the same from the same numbers.
struct Pair {
    net: Program,
    n: Numbers,
    item: Vec<usize>,
}

impl Pair {
    fn random(gpu: &Gpu, mut n: Numbers) -> Self {
        let channels = n.pick(2, 24);
        let item = vec![channels, n.pick(3, 17), [n.pick(3, 17), 8, 16][n.pick(0, 2)]];
        let mut pair = Self { net: Program::new(gpu), n, item };
        let x = pair.net.input("x", Spec::floats(&pair.item)).unwrap();
        let first = if pair.n.pick(0, 2) == 0 { pair.several(x) } else { pair.first(x) };
        let between = pair.between(first);
        let y = pair.second(between);
        pair.net.output("y", y).unwrap();
        pair
    }

    fn constant(&mut self, name: &str, shape: &[usize]) -> TensorId {
        let values = self.n.floats(shape);
        self.net.constant(name, values).unwrap()
    }

    fn shape(&self, tensor: TensorId) -> Vec<usize> {
        self.net.spec(tensor).unwrap().shape.clone()
    }

    /// One channel a group: any kernel, stride, pads and dilation, with or without bias, one output a channel or more.
    fn first(&mut self, x: TensorId) -> TensorId {
        let (channels, n) = (self.item[0], &mut self.n);
        let kernel = [n.pick(1, 3), n.pick(1, 3)];
        let conv = Conv2d::new()
            .groups(channels)
            .stride([n.pick(1, 2), n.pick(1, 2)])
            .pads([n.pick(0, 2), n.pick(0, 2), n.pick(0, 2), n.pick(0, 2)])
            .dilation([1, n.pick(1, 2)]);
        // No dilated kernel is wider than the input.
        let kernel = [kernel[0], kernel[1].min(2)];
        let outputs = channels * if n.pick(0, 3) == 0 { 2 } else { 1 };
        let with_bias = n.pick(0, 2) > 0;
        let weight = self.constant("first weight", &[outputs, 1, kernel[0], kernel[1]]);
        let bias = with_bias.then(|| self.constant("first bias", &[outputs]));
        self.net.add(conv, &[Some(x), Some(weight), bias].into_iter().flatten().collect::<Vec<_>>()).unwrap()
    }

    /// Two to four tensors one after the other, on any axis; some are read by others too.
    fn several(&mut self, x: TensorId) -> TensorId {
        let mut tensors = vec![x];
        for index in 0..self.n.pick(1, 3) {
            let before = tensors[self.n.pick(0, index)];
            tensors.push(self.net.add(Unary::new(UnaryOp::Tanh), &[before]).unwrap());
        }
        self.net.add(Concat::new(self.n.pick(0, 2)), &tensors).unwrap()
    }

    /// Functions of each value, or none.
    fn between(&mut self, first: TensorId) -> TensorId {
        let ones = [UnaryOp::Clip { low: 0.0, high: 1.0 }, UnaryOp::HardSwish, UnaryOp::Gelu];
        let mut given = first;
        for index in 0..self.n.pick(0, 2) {
            given = match self.n.pick(0, 3) {
                3 => {
                    let channels = self.shape(given)[0];
                    let factors = self.constant(&format!("factors {index}"), &[channels, 1, 1]);
                    self.net.add(Binary::new(BinaryOp::Mul), &[given, factors]).unwrap()
                }
                one => self.net.add(Unary::new(ones[one]), &[given]).unwrap(),
            };
        }
        given
    }

    /// One that moves no pixels, or behind tensors one after the other any, and what follows it.
    fn second(&mut self, x: TensorId) -> TensorId {
        let (shape, outputs) = (self.shape(x), self.n.pick(17, 90));
        let size = if self.n.pick(0, 1) == 0 { 3 } else { 1 };
        let conv = Conv2d::new().pads([size / 2; 4]);
        let weight = self.constant("second weight", &[outputs, shape[0], size, size]);
        let bias = (self.n.pick(0, 2) > 0).then(|| self.constant("second bias", &[outputs]));
        let inputs: Vec<TensorId> = [Some(x), Some(weight), bias].into_iter().flatten().collect();
        let y = self.net.add(conv, &inputs).unwrap();
        if self.n.pick(0, 1) == 0 {
            return y;
        }
        let added = self.constant("added", &[outputs, 1, 1]);
        self.net.add(Binary::new(BinaryOp::Add), &[y, added]).unwrap()
    }
}

/// The ways that a program has to do all of it in one kernel.
fn ways(net: &Program) -> Vec<&'static str> {
    let has = |way: &&str| net.clone().force_variants(*way).plan(1).is_ok();
    WAYS.into_iter().filter(has).collect()
}

#[test]
fn every_way_to_join_two_convolutions_gives_what_the_two_give() {
    if device_with_shaders().is_none() {
        return;
    }
    cases_on_device(12, |gpu, n| {
        let Pair { net, mut n, item } = Pair::random(gpu, Numbers::new(n.pick(0, 1 << 30) as u64));
        let batch = n.batch(2, &item);
        let wanted = output(&mut net.on(&Gpu::cpu()), &batch);
        for way in ways(&net) {
            let mut forced = net.clone().force_variants(way);
            let plan = forced.plan(2).unwrap();
            assert_eq!(plan.kernels().count() + 1, kernels(&net), "{plan}");
            compare(&mut forced, &batch, &wanted, SUMS, &format!("{way}: {plan}"));
        }
    });
}

#[test]
fn pixels_are_normalised_where_a_convolution_reads_them() {
    let Some(gpu) = device_with_shaders() else { return };
    for [height, width, channels] in [[9, 7, 3], [8, 8, 1], [6, 10, 4]] {
        let mut n = Numbers::new(2);
        let mut net = Program::new(&gpu);
        let x = net.input("x", Spec::bytes(&[height, width, channels])).unwrap();
        let std: Vec<f32> = (0..channels).map(|channel| 100.0 + channel as f32).collect();
        let planes = net.add(Normalize::new(vec![120.0; channels], std), &[x]).unwrap();
        let weight = net.constant("weight", n.floats(&[20, channels, 3, 3])).unwrap();
        let y = net.add(Conv2d::new().pads([1; 4]).stride([2, 2]), &[planes, weight]).unwrap();
        net.output("y", y).unwrap();
        let pixels = |n: &mut Numbers| n.wholes(&[height, width, channels], 0, 255).mapv(|value| value as u8);
        let batch: Vec<ArrayD<u8>> = (0..3).map(|_| pixels(&mut n)).collect();
        let wanted = output(&mut net.on(&Gpu::cpu()), &batch);
        let ways = ways(&net);
        assert!(ways.contains(&WAYS[0]));
        for way in ways {
            let mut forced = net.clone().force_variants(way);
            assert_eq!(kernels(&forced), 1);
            compare(&mut forced, &batch, &wanted, SUMS, way);
        }
    }
}

/// Shapes as networks for phones have them: 5 × 5, stride 2, rows that are no multiple of four.
fn phone(gpu: &Gpu, size: usize, between: bool) -> Program {
    let mut net = Program::new(gpu);
    let mut n = Numbers::new(9);
    let x = net.input("x", Spec::floats(&[20, size, size])).unwrap();
    let weight = net.constant("w", n.floats(&[20, 1, 5, 5])).unwrap();
    let bias = net.constant("b", n.floats(&[20])).unwrap();
    let conv = Conv2d::new().groups(20).stride([2, 2]).pads([2; 4]);
    let given = net.add(conv, &[x, weight, bias]).unwrap();
    let given = net.add(Unary::clip(0.0, 6.0), &[given]).unwrap();
    let weight = net.constant("v", n.floats(&[24, 20, 1, 1])).unwrap();
    let y = net.add(Conv2d::new(), &[given, weight]).unwrap();
    net.output("y", y).unwrap();
    if between {
        net.output("between", given).unwrap();
    }
    net
}

fn kernels(net: &Program) -> usize {
    net.plan(1).unwrap().kernels().count()
}

#[test]
fn a_plan_says_what_is_computed_where_it_is_read_and_that_it_is_not_moved() {
    let Some(gpu) = device_with_shaders() else { return };
    let (apart, joined) = (phone(&gpu, 16, false), phone(&gpu, 16, false).force_variants("joined"));
    let plan = joined.plan(1).unwrap();
    let kernel = plan.kernels().next().unwrap();
    assert_eq!((kernels(&apart), kernels(&joined)), (2, 1), "{plan}");
    assert_eq!((kernel.name, kernel.computes), ("conv2d.2", "conv2d.0, clip"));
    assert!(plan.to_string().contains("  of conv2d.0, clip"), "{plan}");
    let between = 20 * 8 * 8 * 4;
    let moved = |plan: &gapless::gpu::Plan| plan.kernels().map(|kernel| kernel.item_bytes).sum::<u64>();
    assert_eq!(moved(&plan) + 2 * between, moved(&apart.plan(1).unwrap()));
    assert_eq!(plan.multiply_adds(), apart.plan(1).unwrap().multiply_adds());
}

#[test]
fn two_convolutions_as_networks_for_phones_have_them_can_be_one_in_each_way() {
    let Some(gpu) = device_with_shaders() else { return };
    assert_eq!(ways(&phone(&gpu, 16, false)), WAYS);
    // Planes of 7 × 7 values are no vectors of four.
    assert_eq!(ways(&phone(&gpu, 14, false)), WAYS[..2]);
}

#[test]
fn what_others_need_is_not_computed_where_it_is_read() {
    let Some(gpu) = device_with_shaders() else { return };
    assert!(ways(&phone(&gpu, 16, true)).is_empty());
    let shown = phone(&gpu, 16, true).plan(1).unwrap();
    assert_eq!(shown.kernels().count(), 2);
    let reason = "conv2d.0 is not computed where conv2d.2 reads it: it is an output";
    assert!(shown.to_string().contains(reason), "{shown}");
    let forbidden = phone(&gpu, 16, false).forbid_variants("joined").plan(1).unwrap();
    assert!(forbidden.kernels().all(|kernel| !kernel.variants.iter().any(|name| name.contains("joined"))));
    let twins = phone(&Gpu::cpu(), 16, false).force_variants("joined").plan(1).unwrap();
    assert_eq!(twins.kernels().count(), 2, "the twins join nothing");
}

#[test]
fn a_trial_chooses_between_one_kernel_and_two_and_leaves_none_of_them_out() {
    let Some(gpu) = device_with_shaders() else { return };
    for size in [16, 28] {
        let batch = Numbers::new(3).batch(2, &[20, size, size]);
        let wanted = output(&mut phone(&Gpu::cpu(), size, false), &batch);
        // A word for both: on the processor the one is not tried unasked.
        let mut net = phone(&gpu, size, false).force_variants("conv2d_tall");
        let kernel = net.plan(2).unwrap().kernels().last().unwrap().variants.join(" ");
        assert_eq!(kernel, "conv2d_tall conv2d_tall+joined");
        compare(&mut net, &batch, &wanted, SUMS, "chosen");
        let plan = net.plan(2).unwrap();
        assert!(!plan.to_string().contains("left out"), "{plan}");
        let chosen = net.variants(2).unwrap();
        assert_eq!(chosen.kernels().count(), plan.kernels().count());
    }
}

#[test]
fn two_kernels_that_are_one_can_be_pinned() {
    let Some(gpu) = device_with_shaders() else { return };
    let batch = Numbers::new(3).batch(3, &[20, 16, 16]);
    let wanted = output(&mut phone(&Gpu::cpu(), 16, false), &batch);
    for (word, count) in [("conv2d_tall+joined", 1), ("depthwise_conv2d", 2)] {
        let forced = phone(&gpu, 16, false).force_variants(word).forbid_variants(if count > 1 {
            "joined"
        } else {
            "none"
        });
        let chosen = forced.variants(2).unwrap();
        assert_eq!(chosen.kernels().count(), count);
        let mut pinned = phone(&gpu, 16, false).pin(&chosen).unwrap();
        compare(&mut pinned, &batch, &wanted, SUMS, word);
        assert_eq!(pinned.variants(1).unwrap(), chosen);
    }
}

/// Halves between kernels differ by a rounding of each; the one that is not written is not rounded.
#[test]
fn halves_are_read_where_two_kernels_are_one() {
    let Some(gpu) = device_with_shaders().filter(|gpu| gpu.limits().f16) else { return };
    let before = |gpu: &Gpu| {
        let mut net = Program::new(gpu);
        let mut n = Numbers::new(5);
        let x = net.input("x", Spec::floats(&[8, 12, 12])).unwrap();
        let weight = net.constant("u", n.floats(&[16, 8, 1, 1])).unwrap();
        let wide = net.add(Conv2d::new(), &[x, weight]).unwrap();
        let weight = net.constant("w", n.floats(&[16, 1, 3, 3])).unwrap();
        let seen = net.add(Conv2d::new().groups(16).pads([1; 4]), &[wide, weight]).unwrap();
        let weight = net.constant("v", n.floats(&[20, 16, 1, 1])).unwrap();
        let y = net.add(Conv2d::new(), &[seen, weight]).unwrap();
        net.output("y", y).unwrap();
        net
    };
    let batch: Vec<ArrayD<f32>> = Numbers::new(6).batch(2, &[8, 12, 12]);
    let wanted = output(&mut before(&Gpu::cpu()), &batch);
    for way in WAYS {
        let mut net = before(&gpu).precision(Precision::Half).force_variants(way);
        let plan = net.plan(2).unwrap();
        assert!(plan.kernels().next().unwrap().shape.starts_with(&Element::F16.to_string()), "{plan}");
        assert_eq!(plan.kernels().count(), 2, "{plan}");
        compare(&mut net, &batch, &wanted, Near::Largest(2e-3), way);
    }
}
