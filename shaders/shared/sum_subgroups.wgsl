
// sum_of_workgroup: what 64 invocations bring, added up subgroup by subgroup. All of them must call it.
//
// A subgroup may have any size and any invocations of the workgroup: its sum stands in the place of its
// first invocation, and zeros in all others.
var<workgroup> parts: array<f32, 64>;

fn sum_of_workgroup(local: u32, part: f32) -> f32 {
    // Those with fewer terms are here first, and a subgroup adds what those bring that are in step.
    workgroupBarrier();
    let sum = subgroupAdd(part);
    parts[local] = select(0.0, sum, subgroupMin(local) == local);
    workgroupBarrier();
    // Each subgroup adds all of them up, as many at a time as it has invocations, all of which go as many rounds.
    let count = subgroupAdd(1u);
    let own = subgroupExclusiveAdd(1u);
    var all = 0.0;
    for (var first = 0u; first < 64u; first += count) {
        let place = first + own;
        all += select(0.0, parts[min(place, 63u)], place < 64u);
    }
    return subgroupAdd(all);
}
