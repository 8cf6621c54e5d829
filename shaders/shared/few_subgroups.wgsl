
// sum_of_column: what all 64 invocations bring to the only column, added up as shared/sum_subgroups.wgsl
// does it. All of them must call it.
var<workgroup> parts: array<vec4<f32>, 64>;

fn sum_of_column(local: u32, part: vec4<f32>) -> vec4<f32> {
    let sum = subgroupAdd(part);
    parts[local] = select(vec4(0.0), sum, subgroupMin(local) == local);
    workgroupBarrier();
    let count = subgroupAdd(1u);
    var all = vec4(0.0);
    for (var place = subgroupExclusiveAdd(1u); place < 64u; place += count) {
        all += parts[place];
    }
    return subgroupAdd(all);
}
