// softmax: exp(x - largest) / sum of the same, over each row, one workgroup per row.
//
// CPU twin   src/kernel/softmax.rs (`Softmax::twin`)
// Params     src/kernel/softmax.rs (`SoftmaxParams`), layout checked by tests/shaders.rs
// In / Out   f32 [.., len] / f32, same shape
// Dispatch   rows workgroups folded over x, y
struct Params {
    rows: u32,
    len: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> largest_parts: array<f32, 64>;

fn larger(a: f32, b: f32) -> f32 {
    return select(select(b, a, a > b), a, is_nan(a));
}

fn largest_of_workgroup(local: u32, part: f32) -> f32 {
    largest_parts[local] = part;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if local < half {
            largest_parts[local] = larger(largest_parts[local], largest_parts[local + half]);
        }
        workgroupBarrier();
    }
    return largest_parts[0];
}

// A row in which nothing is larger than minus infinity, or something is infinite, has no softmax.
fn has_softmax(largest: f32) -> bool {
    return (bitcast<u32>(largest) & 0x7fffffffu) < 0x7f800000u;
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = linear(group, groups);
    if row >= params.rows {
        return;
    }
    let start = (group.z * params.rows + row) * params.len;
    var part = x[start];
    for (var index = local; index < params.len; index += 64u) {
        part = larger(part, x[start + index]);
    }
    let largest = largest_of_workgroup(local, part);
    var sum_part = 0.0;
    for (var index = local; index < params.len; index += 64u) {
        sum_part += exp(x[start + index] - largest);
    }
    let sum = sum_of_workgroup(local, sum_part);
    // NaN by its bits, as a number that the compiler cannot see.
    let nan = bitcast<f32>(0x7fc00000u | local);
    for (var index = local; index < params.len; index += 64u) {
        y[start + index] = select(nan, exp(x[start + index] - largest) / sum, has_softmax(largest));
    }
}
