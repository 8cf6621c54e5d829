
// sum_of_workgroup: what 64 invocations bring, added up in a fixed order. All of them must call it.
var<workgroup> parts: array<f32, 64>;

fn sum_of_workgroup(local: u32, part: f32) -> f32 {
    parts[local] = part;
    workgroupBarrier();
    for (var half = 32u; half > 0u; half /= 2u) {
        if local < half {
            parts[local] += parts[local + half];
        }
        workgroupBarrier();
    }
    return parts[0];
}
