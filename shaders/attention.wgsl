// attention: softmax(scale * q kT + mask) v without the scores in memory, one invocation per row of q.
//
// CPU twin   src/kernel/attention.rs (`Attention::twin`)
// Params     src/kernel/attention.rs (`AttentionParams`), layout checked by tests/shaders.rs
// In / Out   f32 [.., m, d], [.., n, d], [.., n, e], [.., m, n] where there is a mask / f32 [.., m, e]
// Dispatch   ceil(matrices * m / 64) workgroups folded over x, y
struct Params {
    // Length, then how far a step goes in q, k and v, of each leading axis; then in the mask.
    leading: array<vec4<u32>, 4>,
    mask_leading: vec4<u32>,
    // Start, and steps of a row, a column and an item of q, k, v and the mask.
    q_lies: vec4<u32>,
    k_lies: vec4<u32>,
    v_lies: vec4<u32>,
    mask_lies: vec4<u32>,
    work: u32,
    m: u32,
    n: u32,
    e: u32,
    scale: f32,
    cap: f32,
    causal: u32,
    empty: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Follow, written out for the lengths of rows (src/kernel/attention/shaders.rs): keep reads a row of q once where it
// is short, products_of gives its products with four rows of k, capped bounds them, the sums are those of v, add_values
// weighs four rows of v into them and write_sums writes them.

// Below every score that is a number, and far enough for exp to be 0.
const LOWEST = -3.4028234e38;

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let place = linear(group, groups) * 64u + local;
    if place >= params.work {
        return;
    }
    let row = place % params.m;
    let starts = starts_of(place / params.m);
    let q_at = starts.x + params.q_lies.x + group.z * params.q_lies.w + row * params.q_lies.y;
    let k_at = starts.y + params.k_lies.x + group.z * params.k_lies.w;
    let v_at = starts.z + params.v_lies.x + group.z * params.v_lies.w;
    let y_at = (group.z * params.work + place) * params.e;
    let mask_at = starts.w + params.mask_lies.x + group.z * params.mask_lies.w + row * params.mask_lies.y;
    // With as many rows as keys a row sees the keys up to its own; with fewer, their last ones are its own.
    let end = select(params.n, min(params.n, row + 1u + params.n - min(params.m, params.n)), params.causal == 1u);

    keep(q_at);
    var top = LOWEST;
    var sum = 0.0;
    var none = false;
    for (var first = 0u; first < end; first += 4u) {
        let keys = min(first + vec4(0u, 1u, 2u, 3u), vec4(params.n - 1u));
        let inside = first + vec4(0u, 1u, 2u, 3u) < vec4(end);
        var scores = capped(params.scale * products_of(q_at, k_at + keys * params.k_lies.y));
        scores += masks(mask_at + keys * params.mask_lies.z);
        none = none || any(vec4<bool>(
            inside.x && is_nan(scores.x), inside.y && is_nan(scores.y),
            inside.z && is_nan(scores.z), inside.w && is_nan(scores.w),
        ));
        let seen = select(vec4(LOWEST), scores, inside);
        let higher = max(top, max(max(seen.x, seen.y), max(seen.z, seen.w)));
        let shares = select(vec4(0.0), exp(scores - vec4(higher)), inside);
        let kept = exp(top - higher);
        top = higher;
        sum = sum * kept + shares.x + shares.y + shares.z + shares.w;
        add_values(kept, shares, v_at + keys * params.v_lies.y, inside);
    }
    // A row of minus infinities has no shares, and one with infinity none either.
    let empty = none || sum == 0.0 || is_infinite(top) || is_nan(sum);
    let unseen = sum == 0.0 && !none;
    let zero = (empty && params.empty == 1u) || (unseen && params.empty == 2u);
    write_sums(y_at, select(1.0 / sum, quiet_nan(local), empty), zero);
}

// Where this matrix starts in q, k, v and the mask.
fn starts_of(matrix: u32) -> vec4<u32> {
    var left = matrix;
    var starts = vec4(0u);
    for (var axis = 4u; axis > 0u; axis--) {
        let steps = params.leading[axis - 1u];
        starts += left % steps.x * vec4(steps.yzw, params.mask_leading[axis - 1u]);
        left /= steps.x;
    }
    return starts;
}
