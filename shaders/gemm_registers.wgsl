// One matrix product for CPU adapters: C[m, n] = sum over k of A[k, m] * B[k, n], without workgroup
// memory. A CPU runs a workgroup as SIMD lanes and does each lane's load by itself, some twenty times
// the cost of a multiplication, so all that counts is multiplications per load: a thread owns a tile of
// 4 TM x 4 TN results in named vec4s, and for each k loads TM + TN vec4s for 16 TM TN multiplications.
// (On a GPU such a tile spills and starves the machine: the tiled form is for those.)
//
// Convolutions and their gradients are this product, without an im2col matrix: k is three nested loops
// (taps and channels, or images and positions), and a row of B at step k is an offset for k plus one for
// the result's column. A is vec4s along m, contiguous; B is vec4 groups along n, where group g = (g0,
// g1, g2) begins at g0 * B_G0 + g1 * B_G1 + g2 * B_G2. All strides count vec4s.
//
// Slices are independent products: a batch of matrices, or the parities of a strided input gradient. The
// latter take the slices of A turned by TURN0 and TURN1, and those before the turn begin farther in B.
// Where a product has few tiles but is deep, its outermost loop is cut in SPLITS parts, each written
// apart, for a later pass to add in order: no atomics, the same bits each time.
//
// The result is [split][slice][m][group] vec4s.

@group(0) @binding(0) var<storage, read_write> a: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> result: array<vec4f>;

fn group_offset(group: u32) -> u32 {
  let g = min(group, $GROUPS - 1u);
  return g / ${G1 * G2} * $B_G0 + g / $G2 % $G1 * $B_G1 + g % $G2 * $B_G2;
}

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let thread = id.y * $ROW + id.x;
  if (thread >= $COUNT) {
    return;
  }
  let m = thread % $M_TILES * $TM;
  let n = thread / $M_TILES % $N_TILES * $TN;
  let part = thread / ${M_TILES * N_TILES};
  let slice = part % $SLICES;
  //: if SPLITS > 1
  let split = part / $SLICES;
  let first = split * $SPLIT_LENGTH;
  let end = min(first + $SPLIT_LENGTH, $L0);
  //: else
  let first = 0u;
  let end = u32($L0);
  //: end
  let turn0 = slice / $SLICES1 + $TURN0;
  let turn1 = slice % $SLICES1 + $TURN1;
  let a_start = turn0 % $SLICES0 * $A_SLICE0 + turn1 % $SLICES1 * $A_SLICE1 + m;
  let b_start = slice * $B_SLICE + select($B_TURN0, 0u, turn0 >= $SLICES0) +
    select($B_TURN1, 0u, turn1 >= $SLICES1);
  //: for j in 0..TN
  let column$j = b_start + group_offset(n + $j);
  //: end
  //: for i in 0..4*TM
  //: for j in 0..TN
  var c${i * TN + j} = vec4f();
  //: end
  //: end
  for (var l0 = first; l0 < end; l0++) {
    //: if L1 > 1
    for (var l1 = 0u; l1 < $L1; l1++) {
    //: else
    {
      let l1 = 0u;
    //: end
      //: if L2 > 1
      for (var l2 = 0u; l2 < $L2; l2++) {
      //: else
      {
        let l2 = 0u;
      //: end
        let p = a_start + l0 * $A_L0 + l1 * $A_L1 + l2 * $A_L2;
        let q = l0 * $B_L0 + l1 * $B_L1 + l2 * $B_L2;
        //: for i in 0..TM
        let a$i = a[p + $i];
        //: end
        //: for j in 0..TN
        let b$j = b[q + column$j];
        //: end
        //: for i in 0..4*TM
        //: for j in 0..TN
        c${i * TN + j} = fma(vec4f(a${i / 4}[${i % 4}]), b$j, c${i * TN + j});
        //: end
        //: end
      }
    }
  }
  // Stores take a CPU's compiler longest, so there are stores for two rows only, and a loop moves the
  // other rows up. Its bounds are not constants, which would have it unrolled again.
  let top = part * $M + m * 4;
  for (var row = top; row < top + ${4 * TM}; row += 2) {
    //: for j in 0..TN
    if (n + $j < $GROUPS) {
      result[row * $GROUPS + n + $j] = c$j;
      result[row * $GROUPS + $GROUPS + n + $j] = c${TN + j};
    }
    //: end
    //: for i in 0..(4 * TM - 2) * TN
    c$i = c${i + 2 * TN};
    //: end
  }
}
