
// of_lanes: what the invocations that share a row bring, joined in a fixed order. All 64 must call it.
var<workgroup> shares: array<f32, 64>;

fn of_lanes(local: u32, share: f32, join: u32) -> f32 {
    // What was here before has been read by all.
    workgroupBarrier();
    shares[local] = share;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
        if local % lanes < half {
            shares[local] = joined(shares[local], shares[local + half], join);
        }
        workgroupBarrier();
    }
    return shares[local - local % lanes];
}
