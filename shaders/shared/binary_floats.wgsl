
// function: of two floats.
fn function(first: f32, second: f32, local: u32) -> f32 {
    let nan = is_nan(first) || is_nan(second);
    switch op {
        case 0u: { return first + second; }
        case 1u: { return first - second; }
        case 2u: { return first * second; }
        case 3u: { return first / second; }
        case 4u: { return power(first, second, local); }
        case 5u: { return select(min(first, second), quiet_nan(local), nan); }
        case 6u: { return select(max(first, second), quiet_nan(local), nan); }
        case 7u: { return select(select(first, first * second, first < 0.0), quiet_nan(local), nan); }
        case 8u: {
            let rest = rest_of(first, second, local);
            return select(rest, rest + second, rest != 0.0 && (rest < 0.0) != (second < 0.0));
        }
        case 9u: { return rest_of(first, second, local); }
        default: { return select(0.0, 1.0, !nan && holds(first, second)); }
    }
}

fn holds(first: f32, second: f32) -> bool {
    switch op {
        case 11u: { return first > second; }
        case 12u: { return first >= second; }
        case 13u: { return first < second; }
        case 14u: { return first <= second; }
        case 15u: { return first != 0.0 && second != 0.0; }
        case 16u: { return first != 0.0 || second != 0.0; }
        case 17u: { return (first != 0.0) != (second != 0.0); }
        default: { return first == second; }
    }
}

// The rest of first / second with the sign of first; the quotient may be one off, since a division may be.
fn rest_of(first: f32, second: f32, local: u32) -> f32 {
    let size = abs(second);
    var rest = abs(first) - size * floor(abs(first) / size);
    rest = select(rest, rest + size, rest < 0.0);
    rest = select(rest, rest - size, rest >= size);
    rest = select(rest, abs(first), is_infinite(second));
    let none = second == 0.0 || is_infinite(first) || is_nan(first) || is_nan(second);
    return select(select(rest, -rest, first < 0.0), quiet_nan(local), none);
}
