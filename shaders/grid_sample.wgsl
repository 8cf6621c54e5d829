// grid_sample: pixels at the places that a grid names, between -1 and 1, one invocation per value.
//
// CPU twin   src/kernel/grid_sample.rs (`GridSample::twin`)
// Params     src/kernel/grid_sample.rs (`GridSampleParams`), layout checked by tests/shaders.rs
// In / Out   f32 [channels, height, width] and f32 [rows, columns, 2] / f32 [channels, rows, columns]
// Dispatch   ceil(len / 256) workgroups folded over x, y
struct Params {
    height: u32,
    width: u32,
    // Places of the grid.
    places: u32,
    x_step: u32,
    grid_step: u32,
    len: u32,
    // 0 nearest, 1 linear, 2 cubic.
    mode: u32,
    // 0 zeros, 1 border, 2 reflection.
    padding: u32,
    aligned: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// main in shared/each_value.wgsl.
fn value_at(index: u32, item: u32, local: u32) -> Value {
    let at = item * params.grid_step + index % params.places * 2u;
    let given = vec2(grid(at), grid(at + 1u));
    let plane = item * params.x_step + index / params.places * params.width * params.height;
    if is_nan(given.x) || is_nan(given.y) {
        return quiet_nan(local);
    }
    let place = vec2(pixel(given.x, params.width), pixel(given.y, params.height));
    if params.mode == 0u {
        return tap(plane, whole(place.x), whole(place.y));
    }
    let corner = floor(place);
    let first = vec2(whole(corner.x), whole(corner.y));
    let share = place - corner;
    if params.mode == 1u {
        let above = mix(tap(plane, first.x, first.y), tap(plane, first.x + 1, first.y), share.x);
        let below = mix(tap(plane, first.x, first.y + 1), tap(plane, first.x + 1, first.y + 1), share.x);
        return mix(above, below, share.y);
    }
    let columns = cubic(share.x);
    let rows = cubic(share.y);
    return rows.x * row_of(plane, first, -1, columns) + rows.y * row_of(plane, first, 0, columns)
        + rows.z * row_of(plane, first, 1, columns) + rows.w * row_of(plane, first, 2, columns);
}

fn row_of(plane: u32, first: vec2<i32>, away: i32, shares: vec4<f32>) -> f32 {
    let y = first.y + away;
    return shares.x * tap(plane, first.x - 1, y) + shares.y * tap(plane, first.x, y)
        + shares.z * tap(plane, first.x + 1, y) + shares.w * tap(plane, first.x + 2, y);
}

// Where a place between -1 and 1 is among pixels; outside of all of them, by the padding.
fn pixel(place: f32, len: u32) -> f32 {
    let count = f32(len);
    var at = select(((place + 1.0) * count - 1.0) * 0.5, (place + 1.0) * 0.5 * (count - 1.0), params.aligned == 1u);
    if params.mode == 0u {
        at = round(at);
    }
    if params.padding == 1u {
        return clamp(at, 0.0, count - 1.0);
    }
    if params.padding == 2u {
        return reflected(at, count);
    }
    return at;
}

// Reflected at the first and the last pixel, or at their outer edges.
fn reflected(at: f32, count: f32) -> f32 {
    let low = select(-0.5, 0.0, params.aligned == 1u);
    let span = select(count, count - 1.0, params.aligned == 1u);
    if span <= 0.0 {
        return 0.0;
    }
    let away = abs(at - low);
    let rest = away - floor(away / span) * span;
    let turned = (u32(min(floor(away / span), 1e9)) & 1u) == 1u;
    return select(rest, span - rest, turned) + low;
}

// A place that 32 bits hold, as near as that can be to any.
fn whole(place: f32) -> i32 {
    return i32(clamp(place, -1e9, 1e9));
}

fn tap(plane: u32, x_at: i32, y_at: i32) -> f32 {
    let size = vec2(i32(params.width), i32(params.height));
    var at = vec2(x_at, y_at);
    if params.padding == 1u {
        at = clamp(at, vec2(0), size - 1);
    } else if params.padding == 2u {
        at = vec2(whole(reflected(f32(at.x), f32(size.x))), whole(reflected(f32(at.y), f32(size.y))));
        at = clamp(at, vec2(0), size - 1);
    }
    let inside = at.x >= 0 && at.y >= 0 && at.x < size.x && at.y < size.y;
    if !inside {
        return 0.0;
    }
    return x(plane + u32(at.y) * params.width + u32(at.x));
}

// Keys 1981 with a = -0.75, which ONNX has.
fn cubic(share: f32) -> vec4<f32> {
    let near = vec2(share, 1.0 - share);
    let far = near + 1.0;
    let inner = (1.25 * near - 2.25) * near * near + 1.0;
    let outer = ((-0.75 * far + 3.75) * far - 6.0) * far + 3.0;
    return vec4(outer.x, inner.x, inner.y, outer.y);
}
