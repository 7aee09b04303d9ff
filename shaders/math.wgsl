// Functions of one number, within a few units in the last place on every adapter: WGSL's own may be
// off by thousands of them (log near 1, tanh, sin), and each adapter differs in its own way.
//
// Polynomials are least-maximum fits of the remainder after the leading terms, on the interval named.
// Nothing here needs `a + b - b` to be kept by the compiler, because shader compilers may reorder.
// Results beyond the largest float saturate: shaders may assume that infinities do not occur. What is
// not a number stays so, told by its bits: comparisons with it may be assumed away.

fn kao_is_nan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// The nearest number that f16 has, of two the even one. Compilers leave a conversion to f16 and back out, which would
// have a number rounded where it is stored and not where it is used at once. Beyond 65504 it rounds as if f16
// went on.
fn kao_half(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let rounded = bitcast<f32>((bits + 0xfffu + ((bits >> 13u) & 1u)) & 0xffffe000u);
  // Below 2^-14 all neighbours are 2^-24 apart.
  let small = round(x * 16777216.0) * 5.9604645e-8;
  let near = select(rounded, small, (bits & 0x7fffffffu) < 0x38800000u);
  return select(near, x, kao_is_nan(x));
}

// 2^n for n in [-126, 127].
fn kao_exp2i(n: i32) -> f32 {
  return bitcast<f32>(u32(n + 127) << 23u);
}

// (e^r - 1 - r) / r^2 on |r| <= log(2) / 2.
fn kao_exp_tail(r: f32) -> f32 {
  return 0.5 + r * (0.16666518 + r * (0.041666206 + r * (0.008368958 + r * 0.001395057)));
}

// e^x = 2^n e^r with r = x - n log(2); log(2) in two parts, the first short enough that n times it is exact.
fn kao_exp(x: f32) -> f32 {
  let bounded = clamp(x, -104.0, 88.722);
  let n = round(bounded * 1.442695);
  let r = (bounded - n * 0.693359375) + n * 2.1219444e-4;
  let y = 1.0 + (r + r * r * kao_exp_tail(r));
  // In two factors, because 2^128 is no float.
  let half = i32(n) >> 1u;
  return select(y * kao_exp2i(half) * kao_exp2i(i32(n) - half), x, kao_is_nan(x));
}

fn kao_expm1(x: f32) -> f32 {
  return select(kao_exp(x) - 1.0, x + x * x * kao_exp_tail(x), abs(x) < 0.34657);
}

// log(1 + f) on [sqrt(1/2) - 1, sqrt(2) - 1].
fn kao_log1p_near(f: f32) -> f32 {
  let tail = 0.3333331 + f * (-0.24999985 + f * (0.20002194 + f * (-0.16669308 + f * (0.14219035 +
    f * (-0.12383211 + f * (0.11870586 + f * (-0.117979206 + f * 0.06929498)))))));
  return f + f * f * (-0.5 + f * tail);
}

// log(x) = e log(2) + log(m) with x = 2^e m, m in [sqrt(1/2), sqrt(2)). Numbers below the normal ones are
// scaled up first. WGSL leaves open what its own log is at 0 and below: minus infinity and no number are
// made of bits here, of x's because constants that are not finite are refused.
fn kao_log(x: f32) -> f32 {
  let tiny = abs(x) < 1.1754944e-38;
  let scaled = select(x, x * 16777216.0, tiny);
  let bits = bitcast<u32>(scaled);
  let e = (bitcast<i32>(scaled) - 0x3f3504f3) >> 23u;
  let m = bitcast<f32>(bitcast<i32>(scaled) - (e << 23u));
  let n = f32(e - select(0, 24, tiny));
  let y = kao_log1p_near(m - 1.0) - n * 2.1219444e-4 + n * 0.693359375;
  let known = select(y, bitcast<f32>(bits | 0x7fc00000u), bits > 0x7f800000u);
  return select(known, bitcast<f32>(bits | 0xff800000u), (bits & 0x7fffffffu) == 0u);
}

fn kao_log1p(x: f32) -> f32 {
  return select(kao_log(1.0 + x), kao_log1p_near(x), x > -0.2928 && x < 0.4142);
}

// For positive a.
fn kao_pow(a: f32, b: f32) -> f32 {
  let y = kao_exp(b * kao_log(a));
  return select(y, select(0.0, 1.0, b == 0.0), a == 0.0);
}

fn kao_tanh(x: f32) -> f32 {
  let t = kao_expm1(2.0 * min(abs(x), 10.0));
  return select(sign(x) * (t / (t + 2.0)), x, kao_is_nan(x));
}

// sin(r) and cos(r) on |r| <= pi / 4, z = r^2.
fn kao_sin_near(r: f32) -> f32 {
  let z = r * r;
  return r + r * z * (-0.16666667 + z * (0.008333332 + z * (-0.00019840083 + z * 2.724939e-6)));
}

fn kao_cos_near(r: f32) -> f32 {
  let z = r * r;
  return 1.0 - z * (0.5 - z * (0.041666668 + z * (-0.0013888888 + z * (2.4800596e-5 - z * 2.7300504e-7))));
}

// sin(x + turns * pi / 2); accurate for |x| up to some ten thousand.
fn kao_sin_quarter(x: f32, turns: i32) -> f32 {
  let n = round(x * 0.63661975);
  // pi / 2 in three parts, the first two short enough that n times them is exact.
  let r = ((x - n * 1.5703125) - n * 4.837513e-4) - n * 7.549790e-8;
  let quarter = i32(n) + turns;
  let y = select(kao_sin_near(r), kao_cos_near(r), (quarter & 1) == 1);
  return select(y, -y, (quarter & 2) == 2);
}

fn kao_sin(x: f32) -> f32 {
  return kao_sin_quarter(x, 0);
}

fn kao_cos(x: f32) -> f32 {
  return kao_sin_quarter(x, 1);
}

// erf(x) / x in x^2 on |x| < 1; beyond, log(1 - erf(x)) on [1, 4].
fn kao_erf(x: f32) -> f32 {
  let z = x * x;
  let near = x * (1.1283791 + z * (-0.37612626 + z * (0.112836 + z * (-0.026854444 +
    z * (0.005189535 + z * (-0.00080208416 + z * 7.88912e-5))))));
  let a = min(abs(x), 4.0);
  let far = 0.0001643375 + a * (-1.1294682 + a * (-0.63343525 + a * (-0.10818938 + a * (0.02506491 +
    a * (-0.0041518994 + a * (0.00043081824 - a * 2.0806094e-5))))));
  return select(sign(x) * (1.0 - kao_exp(far)), near, abs(x) < 1.0 || kao_is_nan(x));
}
