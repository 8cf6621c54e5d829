//! Multiply-adds alone: what the arithmetic of a device reaches where nothing waits for memory.

use gapless::kernel::{Needs, Spec, Wgsl};
use gapless::{Cause, DeviceKind, Gpu, GpuStage, Program};
use ndarray::Array1;

use crate::yardstick::longest;

/// Rounds of the loop of an invocation, far below the fewest after which a device ends loops.
const ROUNDS: u32 = 256;
/// Steps that a round is written out as, so that counting rounds costs next to nothing.
const STEPS: u32 = 32;
/// Sums that an invocation keeps apart, three vectors of four: more than a device needs to have the next one begin
/// before the last has ended, and with the factor and the term no more than a processor has vector registers.
const CHAINS: u32 = 12;

/// Invocations: the next number is tried while a run takes less than some milliseconds.
const INVOCATIONS: [usize; 5] = [1 << 10, 1 << 13, 1 << 16, 1 << 19, 1 << 22];

/// Factor and term come from memory, and the sum of all chains goes there: no compiler can compute or drop any of it.
const BEGIN: &str = "
struct Params { len: u32 }

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
override rounds: u32;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let index = (group.y * groups.x + group.x) * 64u + local;
    if index >= params.len {
        return;
    }
    let place = group.z * params.len + index;
    let factor = vec4<f32>(0.5 + 0.25 * x[place]);
    let term = vec4<f32>(1.0 - factor.x);
    var a = vec4<f32>(0.0, 1.0, 2.0, 3.0) + x[place];
    var b = a + 4.0;
    var c = a + 8.0;
    for (var i = 0u; i < rounds; i++) {
";
const STEP: &str = "
        a = fma(a, factor, term);
        b = fma(b, factor, term);
        c = fma(c, factor, term);
";
const END: &str = "
    }
    let sums = a + b + c;
    y[place] = sums.x + sums.y + sums.z + sums.w;
}";

/// Multiply-adds a second, in f32. `None` on the twins, which have no arithmetic but the kernels' own.
pub(crate) fn per_second(gpu: &Gpu) -> Result<Option<f64>, Cause> {
    if gpu.info().kind == DeviceKind::Twin {
        return Ok(None);
    }
    let time = longest(INVOCATIONS, |invocations| {
        let mut net = Program::new(gpu).depth(1);
        let x = net.input("x", Spec::floats(&[invocations]))?;
        let y = net.add(chains(), &[x])?;
        net.output("y", y)?;
        GpuStage::<Array1<f32>>::open(&mut net, 1)?;
        Ok(net.profile(1)?.kernels.remove(0))
    })?;
    Ok(Some(time.multiply_adds_per_second()))
}

fn chains() -> Wgsl {
    let text = [BEGIN, &STEP.repeat(STEPS as usize), END].concat();
    Wgsl::new("multiply_adds", text)
        .constant("rounds", ROUNDS.into())
        .needs(Needs { rounds: ROUNDS + 1, ..Needs::default() })
        .multiply_adds(|_, output| output.len() as u64 * u64::from(CHAINS * STEPS * ROUNDS))
}
