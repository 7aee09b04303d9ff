// The gradient for the weight of a convolution with few channels on one side, for CPU adapters, without a copy of the
// operand with many: a SIMD lane is one of its channels, and a thread reads LB of them, 8 apart, number by number, each
// number once. The operand of few channels is an image, of rows that are padded as the kernel reaches, so that one texel
// serves all lanes with four neighbours.
//
// A thread goes down some lines, four positions at a time, and adds up all products with the window that these see in
// the few channels: SUMS sums a channel, of U rows of the kernel. A part is what it finds in its lines;
// gemm_image_sum.wgsl adds parts up.

$SLOTS

@compute @workgroup_size(8)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  begin_instance(workgroup.z);
  let block = workgroup.y * $ROWu + workgroup.x;
  if (block >= $BLOCKSu) {
    return;
  }
  let first = block % $MANY_BLOCKSu * ${8 * LB}u + lane;
  let rows = block / $MANY_BLOCKSu % $ROW_BLOCKSu;
  let part = block / ${MANY_BLOCKS * ROW_BLOCKS}u;
  //: for b in 0..LB
  let channel$b = first + ${8 * b}u;
  //: end
  //: for i in 0..LB * SUMS
  var sum$i = 0.0;
  //: end
  let end = min((part + 1u) * $LINESu, ${BATCH * MANY_H}u);
  for (var line = part * $LINESu; line < end; line++) {
    let image = line / $MANY_Hu;
    let row = line % $MANY_Hu;
    let top = image * $HIGHu + row * $AHu + rows * ${U * DH}u;
    for (var chunk = 0u; chunk < $CHUNKSu; chunk++) {
      //: for p in 0..P
      let column$p = chunk * $Pu + ${p}u;
      //: end
      //: for u in 0..U
      //: for s in 0..FEW
      //: for t in 0..TEXELS
      let s${(u * FEW + s) * TEXELS + t} =
        load_few(((top + ${u * DH}u) * $FEWu + ${s}u) * $WIDEu + chunk * ${P * AW / 4}u + ${t}u);
      //: end
      //: end
      //: end
$NUMBERS
      //: for b in 0..LB
      //: for s in 0..FEW
      //: for u in 0..U
      //: for k in 0..KW
      {
        var sum = sum${((b * FEW + s) * U + u) * KW + k};
        //: for p in 0..P
        sum = fma(
          x${P * b + p},
          s${(u * FEW + s) * TEXELS + (p * AW + k * DW) / 4}[${(p * AW + k * DW) % 4}],
          sum,
        );
        //: end
        sum${((b * FEW + s) * U + u) * KW + k} = sum;
      }
      //: end
      //: end
      //: end
      //: end
    }
  }
  //: for b in 0..LB
  //: for i in 0..(SUMS + 3) / 4
  store_result(
    (part * $Mu + channel$b) * $GROUPSu + rows * ${(SUMS + 3) / 4}u + ${i}u,
    vec4f(
      //: for e in 4 * i..4 * i + 4
      //: if e < SUMS
      sum${b * SUMS + e},
      //: else
      0.0,
      //: end
      //: end
    ),
  );
  //: end
  //: end
}
