// The last transform of a weight's gradient by Winograd's filtering on GPUs: T -> M T M', where M is [SIDE, PATCH], and
// T a number of each of PATCH x PATCH products, SLICE apart. The sums are taps of a filter, or one parity of them. The
// filters of a workgroup's threads lie one behind the other: they are gathered in its memory, and go from there in
// order, WIDTH numbers at a time, to `finish`, which engine/kernels/results.ts writes.

@group(0) @binding(0) var<storage, read_write> products: array<f32>;

var<workgroup> taps: array<f32, ${WORKGROUP * SIDE * SIDE}>;

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  var rest = id.y * $ROW + id.x;
  let first = (rest - thread) * ${SIDE * SIDE};
  if (rest < $COUNT) {
    var origin = 0u;
    var place = 0u;
$AXES
    place -= first;
    //: for i in 0..PATCH
    //: for j in 0..PATCH
    let t${i}_$j = products[origin + ${(i * PATCH + j) * SLICE}u];
    //: end
    //: end
$SUMS
    //: for i in 0..SIDE
    //: for j in 0..SIDE
    taps[place + ${i * DOWN + j * ACROSS}u] = m${i}_$j;
    //: end
    //: end
  }
  workgroupBarrier();
  //: for k in 0..(SIDE * SIDE + WIDTH - 1) / WIDTH
  let at$k = thread + ${k * WORKGROUP};
  if ((at$k < ${WORKGROUP * SIDE * SIDE / WIDTH}) & (first / $WIDTH + at$k < ${TAPS / WIDTH}u)) {
    //: if WIDTH == 4
    finish(
      first / 4 + at$k,
      vec4f(taps[4 * at$k], taps[4 * at$k + 1], taps[4 * at$k + 2], taps[4 * at$k + 3]),
    );
    //: else
    finish(first + at$k, taps[at$k]);
    //: end
  }
  //: end
}
