
// sum_of_workgroup: what 64 invocations bring, added up subgroup by subgroup. All of them must call it.
//
// A subgroup may have any size and any invocations of the workgroup: its sum stands in the place of its
// first invocation, and zeros in all others.
var<workgroup> parts: array<f32, 64>;

fn sum_of_workgroup(local: u32, part: f32) -> f32 {
    let sum = subgroupAdd(part);
    parts[local] = select(0.0, sum, subgroupMin(local) == local);
    workgroupBarrier();
    // Each subgroup adds all of them up, as many at a time as it has invocations.
    let count = subgroupAdd(1u);
    var all = 0.0;
    for (var place = subgroupExclusiveAdd(1u); place < 64u; place += count) {
        all += parts[place];
    }
    return subgroupAdd(all);
}
