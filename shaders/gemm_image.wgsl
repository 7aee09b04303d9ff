// One matrix product for CPU adapters: C[m, n] = sum over k of A[k, m] * B[k, n].
//
// A CPU runs a workgroup as SIMD lanes, and a load from a storage buffer lane by lane, for a hundred
// times the price of a multiplication. A load from a storage texture is straight-line code instead: a
// vec4 a lane for some twenty multiplications. So the operands are images, and a thread owns a tile of 4 TM
// x 4 TN results in named vec4s: per step of the depth it loads TM + TN texels for 16 TM TN
// multiplications. UNROLL steps share what the loop costs: its masks, and the way of the accumulators
// from the first-level cache and back. (On a GPU such a tile spills and starves the machine: the tiled
// form is for those.)
//
// Convolutions and their gradients are this product, without an im2col matrix: k is three nested loops
// (taps and channels, or images and positions), and a row of B at step k is an offset for k plus one for the
// column. Columns come in groups of four, a texel: group g = (g0, g1, g2) begins at g0 * B_G0 + g1 * B_G1 +
// g2 * B_G2. Rows come in blocks of LANES_M * TM texels, each block with its whole depth together. All
// strides count texels.
//
// Or A lies TRANSPOSED, as a product of other rows laid it out: a texel holds four steps of one row, and
// four rows are four loads where four steps were. Its steps come in blocks of A_LENGTH texels.
//
// Slices are independent products: a batch of matrices, or the parities of a strided input gradient.
// Where a product has few tiles but is deep, its outermost loop is cut in SPLITS parts, each written
// apart, for gemm_image_sum.wgsl to add in order: no atomics, the same bits each time.
//
// Results go to their places in a tensor, or (STORE_IMAGE) into the image [split][slice][m][group].
//
// What the operands are is left to the functions before this text:
//
//   a_start(slice), b_start(slice) -> u32     where the slice begins in the images
//   column(slice, group) -> Column            what place() needs of a group, found once before the stores
//   place(column, m, i) -> u32                where result i of a group goes, or `nowhere`

$SLOTS

fn group_offset(group: u32) -> u32 {
  let g = min(group, $GROUPSu - 1u);
  return g / ${G1 * G2}u * $B_G0u + g / $G2u % $G1u * $B_G1u + g % $G2u * $B_G2u;
}

@compute @workgroup_size(${LANES_M * LANES_N})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  begin_instance(workgroup.z);
  let block = workgroup.y * $ROWu + workgroup.x;
  if (block >= $BLOCKSu) {
    return;
  }
  let m_block = block % $M_BLOCKSu;
  let m = lane % $LANES_Mu * $TMu;
  let n = (block / $M_BLOCKSu % $N_BLOCKSu * $LANES_Nu + lane / $LANES_Mu) * $TNu;
  let part = block / ${M_BLOCKS * N_BLOCKS}u;
  let slice = part % $SLICESu;
  //: if SPLITS > 1
  let split = part / $SLICESu;
  let first = split * $SPLIT_LENGTHu;
  let end = min(first + $SPLIT_LENGTHu, $L0u);
  //: else
  let first = 0u;
  let end = $L0u;
  //: end
  //: if TRANSPOSED
  let a_row = a_start(slice) + (m_block * ${LANES_M * TM}u + m) * ${4 * A_ROW}u;
  //: else
  let a_row = a_start(slice) + m_block * $A_BLOCKu + m;
  //: end
  let b_slice = b_start(slice);
  //: for j in 0..TN
  let column$j = b_slice + group_offset(n + ${j}u);
  //: end
  //: for i in 0..4*TM
  //: for j in 0..TN
  var c${i * TN + j} = vec4f();
  //: end
  //: end
  for (var l0 = first; l0 < end; l0++) {
    //: if L1 > 1
    for (var l1 = 0u; l1 < $L1u; l1++) {
    //: else
    {
      let l1 = 0u;
    //: end
      //: if TRANSPOSED
      let a_inner = a_row + l0 / $A_LENGTHu * $A_BLOCKu + l0 % $A_LENGTHu;
      //: else
      let a_inner = a_row + l0 * $A_L0u + l1 * $A_L1u;
      //: end
      let b_inner = l0 * $B_L0u + l1 * $B_L1u;
      //: if L2 > UNROLL
      for (var l2 = 0u; l2 < $L2u; l2 += $UNROLLu) {
      //: else
      {
        let l2 = 0u;
      //: end
        //: if TRANSPOSED
        //: for i in 0..4*TM
        let a$i = load_a(a_inner + ${i * A_ROW}u);
        //: end
        //: end
        //: for u in 0..UNROLL
        //: if TRANSPOSED == 0
        let p$u = a_inner + (l2 + ${u}u) * $A_L2u;
        //: for i in 0..TM
        let a${u * TM + i} = load_a(p$u + ${i}u);
        //: end
        //: end
        let q$u = b_inner + (l2 + ${u}u) * $B_L2u;
        //: for j in 0..TN
        let b${u * TN + j} = load_b(q$u + column$j);
        //: end
        //: end
        //: for i in 0..4*TM
        //: for j in 0..TN
        {
          var sum = c${i * TN + j};
          //: for u in 0..UNROLL
          //: if TRANSPOSED
          sum = fma(vec4f(a$i[$u]), b${u * TN + j}, sum);
          //: else
          sum = fma(vec4f(a${u * TM + i / 4}[${i % 4}]), b${u * TN + j}, sum);
          //: end
          //: end
          c${i * TN + j} = sum;
        }
        //: end
        //: end
      }
    }
  }
  // Stores take a CPU's compiler longest, so there are stores for two rows only, and a loop moves the
  // other rows up. Its bounds are not constants, which would have it unrolled again.
  let top = (m_block * ${LANES_M * TM}u + m) * 4u;
  //: if STORE_IMAGE
  let start = part * $Mu;
  for (var row = top; row < top + ${4 * TM}u; row += 2u) {
    //: for j in 0..TN
    if (n + ${j}u < $GROUPSu) {
      let at$j = (start + row) * $GROUPSu + n + ${j}u;
      store_result(at$j, c$j);
      store_result(at$j + $GROUPSu, c${TN + j});
    }
    //: end
  //: else
  //: for j in 0..TN
  let to$j = column(slice, n + ${j}u);
  //: end
  for (var row = top; row < top + ${4 * TM}u; row += 2u) {
    //: for r in 0..2
    //: for j in 0..TN
    //: if QUADS
    {
      let at = place(to$j, row + ${r}u, 0u);
      if (at != nowhere) {
        finish(at / 4u, c${r * TN + j});
      }
    }
    //: else
    //: for i in 0..4
    {
      let at = place(to$j, row + ${r}u, ${i}u);
      if (at != nowhere) {
        finish(at, c${r * TN + j}[$i]);
      }
    }
    //: end
    //: end
    //: end
    //: end
  //: end
    //: for i in 0..(4 * TM - 2) * TN
    c$i = c${i + 2 * TN};
    //: end
  }
}
