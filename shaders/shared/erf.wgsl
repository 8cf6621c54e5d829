
// The error function: its series near 0 (DLMF 7.6.1), and elsewhere the complement by
// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26 (|error| <= 1.5e-7).
fn erf(x: f32) -> f32 {
    let size = abs(x);
    let far = 1.0 - erf_complement(size);
    return select(select(far, -far, x < 0.0), erf_series(x), size < 0.5);
}

fn erf_series(x: f32) -> f32 {
    let s = x * x;
    let sum = 1.0 / 3.0 - s * (1.0 / 10.0 - s * (1.0 / 42.0 - s * (1.0 / 216.0 - s / 1320.0)));
    return 1.1283791671 * x * (1.0 - s * sum);
}

// 1 - erf(x) for x >= 0.
fn erf_complement(x: f32) -> f32 {
    let t = 1.0 / (1.0 + 0.3275911 * x);
    let sum = 0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)));
    return t * sum * exp(-min(x * x, 128.0));
}

// (1 + erf(x / sqrt(2))) / 2: the share of the normal distribution below x.
fn normal_share(x: f32) -> f32 {
    let z = x * 0.70710678;
    let tail = 0.5 * erf_complement(abs(z));
    return select(select(1.0 - tail, tail, x < 0.0), 0.5 + 0.5 * erf_series(z), abs(z) < 0.5);
}
