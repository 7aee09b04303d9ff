// The gradient of a convolution of at most four channels for its input, with dilation 1, for GPUs: like
// conv2d_rows_tiled.wgsl, which says why, but with taps that go the other way, and a stride. A position sees every
// SH-th row of the kernel, and every SW-th column of it, so a thread makes 4 SW neighbours of a row in every input
// channel, from rows of grad; a tap reaches four of them, SW apart, and these have a sum, as vec4f.
//
// There are few positions to a number of grad, so SPLITS threads share each one's output channels; the first of
// them adds what the others leave in the workgroup's memory, in order. A warp's are all of one share.

@group(0) @binding(0) var<storage, read_write> grad: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;

var<workgroup> taps: array<array<array<vec4f, $KW>, ${SH * TAPS}>, $CHUNK>;
var<workgroup> shares: array<array<vec4f, $PLACES>, ${(SPLITS - 1) * SUMS}>;

// Of the input channels side by side; zero in rows that pad the kernel to a multiple of the stride.
fn load_tap(channel: u32, tap: u32) -> vec4f {
  var values = vec4f();
  if (tap < ${KH * KW}) {
    //: for m in 0..IN_CHANNELS
    values[$m] = weight[(channel * $IN_CHANNELS + $m) * ${KH * KW} + tap];
    //: end
  }
  return values;
}

@compute @workgroup_size(${PLACES * SPLITS})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let split = thread / $PLACES;
  let place = (workgroup.y * $ROW + workgroup.x) * $PLACES + thread % $PLACES;
  let column = place % $COLUMNS;
  let h = place / $COLUMNS % $H;
  let image = place / ${COLUMNS * H};
  let kernel_row = (h + $PH) % $SH;
  let bottom = select(-1, i32((h + $PH) / $SH), image < $BATCH);
  let left = i32(column) - $LEFT;
  //: for i in 0..SUMS
  var sum$i = vec4f();
  //: end
  for (var channel0 = 0u; channel0 < $OUT_CHANNELS; channel0 += $CHUNK) {
    let channels = min($CHUNK, $OUT_CHANNELS - channel0);
    workgroupBarrier();
    for (var i = thread; i < channels * ${SH * TAPS * KW}; i += ${PLACES * SPLITS}) {
      let c = i / ${SH * TAPS * KW};
      let tap = i % ${SH * TAPS * KW};
      taps[c][tap / $KW][tap % $KW] = load_tap(channel0 + c, tap);
    }
    workgroupBarrier();
    for (var c = split; c < channels; c += $SPLITS) {
      let plane = i32(image * $OUT_CHANNELS + channel0 + c) * $OH;
      //: if UNROLL < TAPS
      for (var first = 0u; first < $TAPS; first += $UNROLL) {
      //: else
      {
        const first = 0u;
      //: end
        //: for u in 0..UNROLL
        let oh$u = bottom - i32(first) - $u;
        let at$u = (plane + oh$u) * ${OW / 4} + left;
        //: for q in 0..QUADS
        var grad${u * QUADS + q} = vec4f();
        if ((u32(oh$u) < $OH) & (u32(left + $q) < ${OW / 4})) {
          grad${u * QUADS + q} = grad[at$u + $q];
        }
        //: end
        //: for kw in 0..KW
        let tap${u * KW + kw} = taps[c][kernel_row + (first + $u) * $SH][$kw];
        let seen${u * KW + kw} = vec4f(
          //: for j in 0..4
          grad${u * QUADS + (NEXT - (kw + SKIP) / SW + j) / 4}[${(NEXT - (kw + SKIP) / SW + j) % 4}],
          //: end
        );
        //: for m in 0..IN_CHANNELS
        sum${m * SW + (kw + SKIP) % SW} = fma(
          vec4f(tap${u * KW + kw}[$m]),
          seen${u * KW + kw},
          sum${m * SW + (kw + SKIP) % SW},
        );
        //: end
        //: end
        //: end
      }
    }
  }
  if (split > 0) {
    //: for i in 0..SUMS
    shares[(split - 1) * $SUMS + $i][thread % $PLACES] = sum$i;
    //: end
  }
  workgroupBarrier();
  if ((split == 0) & (image < $BATCH)) {
    //: for s in 0..SPLITS - 1
    //: for i in 0..SUMS
    sum$i += shares[${s * SUMS + i}][thread];
    //: end
    //: end
    //: for q in 0..SW
    if (column * $SW + $q < ${W / 4}) {
      //: for m in 0..IN_CHANNELS
      finish(
        ((image * $IN_CHANNELS + $m) * $H + h) * ${W / 4} + column * $SW + $q,
        vec4f(
          //: for j in 0..4
          sum${m * SW + (4 * q + j) % SW}[${(4 * q + j) / SW}],
          //: end
        ),
      );
      //: end
    }
    //: end
  }
}
