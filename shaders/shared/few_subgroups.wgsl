
// sum_of_column: what all 64 invocations bring to the only column, added up as shared/sum_subgroups.wgsl
// does it. All of them must call it.
var<workgroup> parts: array<vec4<f32>, 64>;

fn sum_of_column(local: u32, part: vec4<f32>) -> vec4<f32> {
    // Those with fewer terms are here first, and a subgroup adds what those bring that are in step.
    workgroupBarrier();
    let sum = subgroupAdd(part);
    parts[local] = select(vec4(0.0), sum, subgroupMin(local) == local);
    workgroupBarrier();
    let count = subgroupAdd(1u);
    let own = subgroupExclusiveAdd(1u);
    var all = vec4(0.0);
    for (var first = 0u; first < 64u; first += count) {
        let place = first + own;
        all += select(vec4(0.0), parts[min(place, 63u)], place < 64u);
    }
    return subgroupAdd(all);
}
