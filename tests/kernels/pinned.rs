//! Which variants run is data, and can be pinned.

use gapless::gpu::Variants;
use gapless::kernel::{MatMul, Softmax, Spec};
use gapless::{Error, Gpu, Program};
use ndarray::ArrayD;

use crate::check::{compare, device_with_shaders, open, output};
use crate::common::device;
use crate::near::SUMS;
use crate::numbers::Numbers;

const SHAPE: [usize; 2] = [64, 16];

/// A product and a softmax of long rows: several variants each.
fn net(gpu: &Gpu) -> Program {
    let mut net = Program::new(gpu);
    let x = net.input("x", Spec::floats(&SHAPE)).unwrap();
    let weight = net.constant("weight", Numbers::new(3).floats(&[16, 200])).unwrap();
    let x = net.add(MatMul::new(), &[x, weight]).unwrap();
    let y = net.add(Softmax::new(), &[x]).unwrap();
    net.output("y", y).unwrap();
    net
}

/// The names of all ways to do its first kernel.
fn ways(net: &Program) -> Vec<String> {
    let plan = net.plan(1).unwrap();
    plan.kernels().next().unwrap().variants.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn each_variant_can_be_pinned_and_gives_the_same_bits_at_every_batch_size() {
    let Some(gpu) = device_with_shaders() else { return };
    let batch = Numbers::new(4).batch(5, &SHAPE);
    let wanted = output(&mut net(&Gpu::cpu()), &batch);
    let ways = ways(&net(&gpu));
    assert!(ways.len() > 1, "{ways:?}");
    for way in ways {
        let chosen = net(&gpu).force_variants(&*way).variants(2).unwrap();
        let mut pinned = net(&gpu).pin(&chosen).unwrap();
        compare(&mut pinned, &batch, &wanted, SUMS, &way);
        assert_eq!(pinned.variants(5).unwrap(), chosen);
        assert_eq!(chosen.kernels().next(), Some(("mat_mul.0", &*way)));
    }
}

#[test]
fn a_pinned_program_has_no_other_variants_and_tries_none() {
    let Some(gpu) = device_with_shaders() else { return };
    let chosen = net(&gpu).variants(3).unwrap();
    let pinned = net(&gpu).pin(&chosen).unwrap();
    let plan = pinned.plan(8).unwrap();
    assert!(plan.kernels().all(|kernel| kernel.variants == [kernel.variant]), "{plan}");
    let mut again = net(&gpu).forbid_variants("mat_mul").pin(&chosen).unwrap();
    open::<ArrayD<f32>>(&mut again, 1);
    assert_eq!(again.variants(1).unwrap(), chosen, "what is forbidden does not count beside a pin");
}

#[test]
fn what_is_pinned_is_kept_as_text() {
    let Some(gpu) = device() else { return };
    let chosen = net(&gpu).variants(2).unwrap();
    let text = chosen.to_string();
    assert_eq!(text.lines().count(), 3, "{text}");
    let read: Variants = text.parse().unwrap();
    assert_eq!(read, chosen);
    assert_eq!(net(&gpu).pin(&read).unwrap().variants(3).unwrap(), chosen);
    for (broken, reason) in
        [("0 mat_mul", "line 2 is no key, variant and kernel: 0 mat_mul"), ("key a b", "line 2 is no")]
    {
        let error = format!("device\n{broken}").parse::<Variants>().unwrap_err().to_string();
        assert!(error.starts_with(&format!("Program::pin: {reason}")), "{error}");
    }
}

fn refused(net: Program, chosen: &Variants) -> String {
    match net.pin(chosen) {
        Err(Error::Setting { name, reason, .. }) => format!("{name}: {reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_pin_of_another_device_or_program_is_refused_with_what_is_other() {
    let Some(gpu) = device_with_shaders() else { return };
    let chosen = net(&gpu).variants(2).unwrap();
    let elsewhere = refused(net(&Gpu::cpu()), &chosen);
    assert!(
        elsewhere.contains("they were chosen on ") && elsewhere.ends_with("and this is cpu (twin)"),
        "{elsewhere}"
    );
    let mut longer = net(&gpu);
    let y = longer.tensor("y").unwrap();
    let z = longer.add(Softmax::new(), &[y]).unwrap();
    longer.output("z", z).unwrap();
    assert_eq!(refused(longer, &chosen), "Program::pin: they are of 2 kernels, and the program has 3");
    let mut other = Program::new(&gpu);
    let x = other.input("x", Spec::floats(&SHAPE)).unwrap();
    let x = other.add(Softmax::new(), &[x]).unwrap();
    let y = other.add(Softmax::new(), &[x]).unwrap();
    other.output("y", y).unwrap();
    let reason = refused(other, &chosen);
    assert!(reason.starts_with("Program::pin: the kernel softmax.0 has not the variant mat_mul"), "{reason}");
}
