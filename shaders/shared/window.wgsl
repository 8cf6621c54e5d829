
// window_at: the part of a pool's window that lies in the input, on channels and three axes.
struct Window {
    channel: i32,
    // Where the window starts, counted in the input.
    start: vec4<i32>,
    // The first tap inside, the first one behind, and the first one behind the padding.
    begin: vec4<i32>,
    end: vec4<i32>,
    padded: vec4<i32>,
}

// The first tap of a window that lies this far behind its start or farther.
fn tap_at(way: vec4<i32>) -> vec4<i32> {
    let taps = (max(way, vec4(0)) + params.dilation - 1) / params.dilation;
    return min(taps, params.kernel);
}

fn window_at(index: u32) -> Window {
    let out = params.output;
    let row = index / out.w;
    let plane = row / out.z;
    let place = vec4<i32>(vec4(plane / out.y, plane % out.y, row % out.z, index % out.w));
    let start = place * params.stride - params.before;
    let end = params.input - start;
    return Window(place.x, start, tap_at(-start), tap_at(end), tap_at(end + params.after));
}

// place_of: where a tap lies in the input.
fn place_of(window: Window, tap: vec3<i32>) -> vec3<i32> {
    return window.start.yzw + tap * params.dilation.yzw;
}

// offset_of: where a place of the window's channel lies in the item.
fn offset_of(window: Window, place: vec3<i32>) -> u32 {
    let plane = params.input.yzw;
    return u32(((window.channel * plane.x + place.x) * plane.y + place.y) * plane.z + place.z);
}
