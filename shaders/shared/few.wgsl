
// sum_of_column: what the invocations of a column bring, added up in a fixed order. All 64 must call it.
var<workgroup> parts: array<vec4<f32>, 64>;

fn sum_of_column(local: u32, part: vec4<f32>) -> vec4<f32> {
    parts[local] = part;
    workgroupBarrier();
    for (var half = 32u; half >= columns; half /= 2u) {
        if local < half {
            parts[local] += parts[local + half];
        }
        workgroupBarrier();
    }
    return parts[local % columns];
}
