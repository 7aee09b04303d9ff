// Philox 4x32-10: four random words from a counter and a key (Salmon et al., "Parallel random numbers: as
// easy as 1, 2, 3", SC 2011, section 3.3). Needs math.wgsl.

// The upper and lower half of a 64-bit product, from products of 16-bit halves.
fn philox_product(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let cross = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (cross & 0xffffu);
  return vec2<u32>((a >> 16u) * (b >> 16u) + (cross >> 16u) + (other >> 16u), a * b);
}

fn philox4x32(counter: vec4<u32>, key: vec2<u32>) -> vec4<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let p = philox_product(0xD2511F53u, c.x);
    let q = philox_product(0xCD9E8D57u, c.z);
    c = vec4<u32>(q.x ^ c.y ^ k.x, q.y, p.x ^ c.w ^ k.y, p.y);
    k += vec2<u32>(0x9E3779B9u, 0xBB67AE85u);
  }
  return c;
}

fn philox_word(bits: vec4<u32>, element: u32) -> u32 {
  let pair = select(bits.xy, bits.zw, (element & 2u) != 0u);
  return select(pair.x, pair.y, (element & 1u) != 0u);
}

// [0, 1) in steps of 2^-24, all of which a float holds.
fn philox_uniform(bits: vec4<u32>, element: u32) -> f32 {
  return f32(philox_word(bits, element) >> 8u) * 5.9604644775390625e-8;
}

// Two uniform numbers make two normal ones (Box and Muller, 1958); elements come in such pairs.
fn philox_normal(bits: vec4<u32>, element: u32) -> f32 {
  let pair = select(bits.xy, bits.zw, (element & 2u) != 0u);
  let radius = sqrt(-2.0 * kao_log(f32((pair.x >> 8u) + 1u) * 5.9604644775390625e-8));
  let angle = f32(pair.y >> 8u) * 3.7450703e-7; // 2 pi / 2^24
  return radius * select(kao_cos(angle), kao_sin(angle), (element & 1u) != 0u);
}
