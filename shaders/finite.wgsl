// Looks for what is no finite number among floats, by their bits: shaders may assume that there is none.
//
// found: the first NaN, the first infinity, the first negative infinity (their places, else 2^32 - 1), and
// the smallest and largest of the finite elements as keys that sort like the numbers.

@group(0) @binding(0) var<storage, read_write> values: array<u32>;
@group(0) @binding(1) var<storage, read_write> found: array<atomic<u32>>;

const INFINITY = 0x7f800000u;
const SIGN = 0x80000000u;

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
) {
  var smallest = 0xffffffffu;
  var largest = 0u;
  for (var i = id.x; i < arrayLength(&values); i += groups.x * 64u) {
    let bits = values[i];
    if ((bits & ~SIGN) > INFINITY) {
      atomicMin(&found[0], i);
    } else if (bits == INFINITY) {
      atomicMin(&found[1], i);
    } else if (bits == (SIGN | INFINITY)) {
      atomicMin(&found[2], i);
    } else {
      let key = select(bits | SIGN, ~bits, bits >= SIGN);
      smallest = min(smallest, key);
      largest = max(largest, key);
    }
  }
  atomicMin(&found[3], smallest);
  atomicMax(&found[4], largest);
}
