// One matrix product for GPUs: C[m, n] = sum over k of A[m, k] * B[k, n]. A workgroup owns a tile of
// BLOCK_M x BLOCK_N results; for each BLOCK_K of the depth its threads bring both operands' slabs into
// workgroup memory together, and each thread multiplies them into 4 x 4 results of its own, so that a
// number read once from memory is used BLOCK_M or BLOCK_N times, and one from workgroup memory 4 times.
//
// What the operands are is left to the functions before this text: convolutions are this product with
// operands that are looked up rather than copied (implicit GEMM).
//
//   a_row(slice, m) -> ARow             what load_a needs of a row, found once before the loop
//   load_a(row, k) -> f32               zero outside
//   b_column(slice, n) -> BColumn
//   load_b(column, k) -> f32            zero outside
//   place(slice, m, n) -> u32           where the result goes, or `nowhere`
//
// Their conditions are joined by `&`, not `&&`: so many branches, inlined at every load, take SwiftShader's
// compiler minutes and gigabytes.
//
// A_ALONG_K and B_ALONG_K say which way an operand lies in memory, so that neighbouring threads read
// neighbours. Slabs have rows 4 longer than the tile, against bank conflicts. Where few workgroups
// would run, the depth is cut in SPLITS parts, each written apart, RESULTS elements from the other, for
// a later pass to add in order: no atomics, the same bits each time.

var<workgroup> slab_a: array<f32, ${BLOCK_K * (BLOCK_M + 4)}>;
var<workgroup> slab_b: array<f32, ${BLOCK_K * (BLOCK_N + 4)}>;

@compute @workgroup_size($THREADS)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = workgroup.y * $ROW + workgroup.x;
  if (block >= $BLOCKS) {
    return;
  }
  let m0 = block % $M_BLOCKS * $BLOCK_M;
  let n0 = block / $M_BLOCKS % $N_BLOCKS * $BLOCK_N;
  let part = block / ${M_BLOCKS * N_BLOCKS};
  let slice = part % $SLICES;
  let split = part / $SLICES;
  let k_end = min(split * $SPLIT_LENGTH + $SPLIT_LENGTH, $K);

  //: for r in 0..BLOCK_M * BLOCK_K / THREADS
  //: if A_ALONG_K
  let a_m$r = thread / $BLOCK_K + ${r * THREADS / BLOCK_K};
  let a_k$r = thread % $BLOCK_K;
  //: else
  let a_m$r = (thread + ${r * THREADS}) % $BLOCK_M;
  let a_k$r = (thread + ${r * THREADS}) / $BLOCK_M;
  //: end
  let a_row$r = a_row(slice, m0 + a_m$r);
  //: end
  //: for r in 0..BLOCK_N * BLOCK_K / THREADS
  //: if B_ALONG_K
  let b_n$r = thread / $BLOCK_K + ${r * THREADS / BLOCK_K};
  let b_k$r = thread % $BLOCK_K;
  //: else
  let b_n$r = (thread + ${r * THREADS}) % $BLOCK_N;
  let b_k$r = (thread + ${r * THREADS}) / $BLOCK_N;
  //: end
  let b_column$r = b_column(slice, n0 + b_n$r);
  //: end

  let m = thread / ${BLOCK_N / 4} * 4;
  let n = thread % ${BLOCK_N / 4} * 4;
  //: for i in 0..4
  var sum$i = vec4f();
  //: end
  for (var k0 = split * $SPLIT_LENGTH; k0 < k_end; k0 += $BLOCK_K) {
    //: for r in 0..BLOCK_M * BLOCK_K / THREADS
    slab_a[a_k$r * ${BLOCK_M + 4} + a_m$r] = load_a(a_row$r, k0 + a_k$r);
    //: end
    //: for r in 0..BLOCK_N * BLOCK_K / THREADS
    slab_b[b_k$r * ${BLOCK_N + 4} + b_n$r] = load_b(b_column$r, k0 + b_k$r);
    //: end
    workgroupBarrier();
    for (var k = 0u; k < $BLOCK_K; k += $UNROLL) {
      //: for u in 0..UNROLL
      let a$u = (k + $u) * ${BLOCK_M + 4} + m;
      let b$u = (k + $u) * ${BLOCK_N + 4} + n;
      let row$u = vec4f(slab_b[b$u], slab_b[b$u + 1], slab_b[b$u + 2], slab_b[b$u + 3]);
      //: for i in 0..4
      sum$i = fma(vec4f(slab_a[a$u + $i]), row$u, sum$i);
      //: end
      //: end
    }
    workgroupBarrier();
  }
  //: for i in 0..4
  //: for j in 0..4
  {
    let at = place(slice, m0 + m + $i, n0 + n + $j);
    if (at != nowhere) {
      result[split * $RESULTS + at] = sum$i[$j];
    }
  }
  //: end
  //: end
}
