// One matrix product for GPUs: C[m, n] = sum over k of A[m, k] * B[k, n]. A workgroup owns a tile of
// BLOCK_M x BLOCK_N results; for each BLOCK_K of the depth its threads bring both operands' slabs into
// workgroup memory together, and each thread multiplies them into THREAD_M x THREAD_N results of its
// own, so that a number read once from memory is used BLOCK_M or BLOCK_N times, and one from workgroup
// memory THREAD_M or THREAD_N times.
//
// What the operands are is left to the functions before this text: convolutions are this product with
// operands that are looked up rather than copied (implicit GEMM). They are looked up in quads, four
// neighbours along a side of the product at one depth:
//
//   a_quad(slice, m) -> AQuad           what load_a needs of rows m to m + 3, found once before the loop
//   load_a(quad, k, k_end) -> vec4f     zero outside, and from k_end on; WHOLE_M says that all rows of all tiles
//                                       are inside, WHOLE_K that all slabs are
//   b_quad(slice, n) -> BQuad
//   load_b(quad, k, k_end) -> vec4f
//   place(slice, m, n) -> u32           where the result goes, or `nowhere`
//
// and to one that takes the results, engine/kernels/results.ts:
//
//   finish(i, value)                    result `i`, or with RESULT_QUADS the four from 4 i on
//
// They read what is outside, too, elsewhere, and leave it out afterwards: where branches surround loads, a
// GPU waits for each before it asks for the next. Conditions are joined by `&`, not `&&`: so many branches,
// inlined at every load, take SwiftShader's compiler minutes and gigabytes. An operand or a result whose quads
// lie together, aligned, is bound as vec4f.
//
// A_ALONG_K and B_ALONG_K say which way an operand lies in memory, so that neighbouring threads read
// neighbours. The slabs' depth is an index of its own, and a constant where the loop is unrolled, so that
// bounds are checked once before the loop and not at every read; their rows have one quad too many, against
// bank conflicts. SLAB is vec4f, or vec4h, which rounds operands to f16 for half the workgroup memory; sums are
// f32 either way. With PREFETCH, the next slabs are on their way while the present ones are multiplied.
//
// Where few workgroups would run, the depth is cut in SPLITS parts, each written apart, RESULTS elements
// from the other, for a later pass to add in order: no atomics, the same bits each time.

@group(0) @binding(0) var<storage, read_write> a: array<$A_TYPE>;
@group(0) @binding(1) var<storage, read_write> b: array<$B_TYPE>;

const nowhere = 0xffffffffu;

var<workgroup> slab_a: array<array<$SLAB, ${BLOCK_M / 4 + 1}>, $BLOCK_K>;
var<workgroup> slab_b: array<array<$SLAB, ${BLOCK_N / 4 + 1}>, $BLOCK_K>;

fn store(first: u32, slice: u32, m: u32, n: u32, quad: vec4f) {
  //: if RESULT_QUADS
  let at = place(slice, m, n);
  if (at != nowhere) {
    finish((first + at) / 4, quad);
  }
  //: else
  //: for j in 0..4
  let at$j = place(slice, m, n + $j);
  if (at$j != nowhere) {
    finish(first + at$j, quad[$j]);
  }
  //: end
  //: end
}

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
  let k_start = split * $SPLIT_LENGTH;
  let k_end = min(k_start + $SPLIT_LENGTH, $K);

  // Which quads of the slabs this thread brings. (The remainders let compilers see where all threads are at
  // one depth, which they then need to find but once.)
  //: for r in 0..A_LOADS
  //: if A_ALONG_K
  let a_q$r = thread % $A_THREADS / $BLOCK_K + ${r * THREADS / BLOCK_K};
  let a_k$r = thread % $BLOCK_K;
  //: else
  let a_q$r = (thread % $A_THREADS + ${r * THREADS}) % ${BLOCK_M / 4};
  let a_k$r = (thread % $A_THREADS + ${r * THREADS}) / ${BLOCK_M / 4};
  //: end
  let a_quad$r = a_quad(slice, m0 + a_q$r * 4);
  //: end
  //: for r in 0..B_LOADS
  //: if B_ALONG_K
  let b_q$r = thread / $BLOCK_K + ${r * THREADS / BLOCK_K};
  let b_k$r = thread % $BLOCK_K;
  //: else
  let b_q$r = (thread % $THREADS + ${r * THREADS}) % ${BLOCK_N / 4};
  let b_k$r = (thread % $THREADS + ${r * THREADS}) / ${BLOCK_N / 4};
  //: end
  let b_quad$r = b_quad(slice, n0 + b_q$r * 4);
  //: end

  // Which quads it multiplies: every ROWS-th and COLUMNS-th. 32 threads, which a GPU runs as one, form a
  // patch, for they read the fewest different numbers that way.
  let patch_m = thread / 32 / ${COLUMNS / PATCH_N} * ${32 / PATCH_N};
  let patch_n = thread / 32 % ${COLUMNS / PATCH_N} * $PATCH_N;
  let row = patch_m + thread % 32 / $PATCH_N;
  let column = patch_n + thread % $PATCH_N;
  //: for i in 0..THREAD_M * THREAD_N / 4
  var sum$i = vec4f();
  //: end

  var k0 = k_start;
  //: if PREFETCH
  //: for r in 0..A_LOADS
  var next_a$r = load_a(a_quad$r, k0 + a_k$r, k_end);
  //: end
  //: for r in 0..B_LOADS
  var next_b$r = load_b(b_quad$r, k0 + b_k$r, k_end);
  //: end
  //: end
  loop {
    //: if !PREFETCH
    //: for r in 0..A_LOADS
    let next_a$r = load_a(a_quad$r, k0 + a_k$r, k_end);
    //: end
    //: for r in 0..B_LOADS
    let next_b$r = load_b(b_quad$r, k0 + b_k$r, k_end);
    //: end
    //: end
    workgroupBarrier();
    //: if A_THREADS < THREADS
    if (thread < $A_THREADS) {
    //: else
    {
    //: end
      //: for r in 0..A_LOADS
      slab_a[a_k$r][a_q$r] = $SLAB(next_a$r);
      //: end
    }
    //: for r in 0..B_LOADS
    slab_b[b_k$r][b_q$r] = $SLAB(next_b$r);
    //: end
    workgroupBarrier();
    k0 += $BLOCK_K;
    //: if PREFETCH
    // Behind the last slab comes the first again, which is near, and nobody's.
    let ahead = select(k_start, k0, k0 < k_end);
    //: for r in 0..A_LOADS
    next_a$r = load_a(a_quad$r, ahead + a_k$r, k_end);
    //: end
    //: for r in 0..B_LOADS
    next_b$r = load_b(b_quad$r, ahead + b_k$r, k_end);
    //: end
    //: end
    //: if UNROLL < BLOCK_K
    for (var k = 0u; k < $BLOCK_K; k += $UNROLL) {
    //: else
    {
      const k = 0u;
    //: end
      //: for u in 0..UNROLL
      //: for v in 0..THREAD_N / 4
      let b${u * THREAD_N / 4 + v} = vec4f(slab_b[k + $u][column + ${v * COLUMNS}]);
      //: end
      //: for w in 0..THREAD_M / 4
      let a${u * THREAD_M / 4 + w} = vec4f(slab_a[k + $u][row + ${w * ROWS}]);
      //: for i in 0..4
      //: for v in 0..THREAD_N / 4
      sum${(w * 4 + i) * (THREAD_N / 4) + v} = fma(
        vec4f(a${u * THREAD_M / 4 + w}[$i]),
        b${u * THREAD_N / 4 + v},
        sum${(w * 4 + i) * (THREAD_N / 4) + v},
      );
      //: end
      //: end
      //: end
      //: end
    }
    if (k0 >= k_end) {
      break;
    }
  }

  //: for w in 0..THREAD_M / 4
  //: for i in 0..4
  //: for v in 0..THREAD_N / 4
  store(
    split * $RESULTS,
    slice,
    m0 + (row + ${w * ROWS}) * 4 + $i,
    n0 + (column + ${v * COLUMNS}) * 4,
    sum${(w * 4 + i) * (THREAD_N / 4) + v},
  );
  //: end
  //: end
  //: end
}
