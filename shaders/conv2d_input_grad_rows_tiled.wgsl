// The gradient of a convolution of at most four channels for its input, with dilation 1, for GPUs: as
// conv2d_rows_tiled.wgsl, which says why, but the taps go the other way, and outputs are a stride apart. A position is
// reached by every SH-th row of the kernel, and every SW-th column. So a thread makes 4 SW neighbours of a row in
// every input channel, from rows of grad, as vec4f. Tap kw reaches four of them, SW apart, from (kw - PW) mod SW on;
// they have a sum.
//
// There are few such threads, so SPLITS share the output channels of one; the first adds what the others leave in
// their workgroup's memory, in order. Those of PLACES neighbours in a row lie together and read the same taps.

@group(0) @binding(0) var<storage, read_write> grad: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;

// The taps of CHUNK output channels, and at the end the sums of all shares but the first.
var<workgroup> memory: array<vec4f, $MEMORY>;

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

// Without a branch, so that a compiler can let several loads wait for memory together.
fn load_grad(plane: i32, oh: i32, quad: i32) -> vec4f {
  let inside = (u32(oh) < $OH) & (u32(quad) < ${OW / 4});
  let at = select(0, (plane * $OH + oh) * ${OW / 4} + quad, inside);
  return select(vec4f(), grad[at], inside);
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
      memory[i] = load_tap(channel0 + i / ${SH * TAPS * KW}, i % ${SH * TAPS * KW});
    }
    workgroupBarrier();
    for (var c = split; c < channels; c += $SPLITS) {
      let plane = i32(image * $OUT_CHANNELS + channel0 + c);
      let tap_row = (c * ${SH * TAPS} + kernel_row) * $KW;
      //: if UNROLL < TAPS
      for (var first = 0u; first < $TAPS; first += $UNROLL) {
      //: else
      {
        const first = 0u;
      //: end
        //: for u in 0..UNROLL
        //: for q in 0..QUADS
        let grad${u * QUADS + q} = load_grad(plane, bottom - i32(first) - $u, left + $q);
        //: end
        //: end
        //: for u in 0..UNROLL
        //: for kw in 0..KW
        let tap${u * KW + kw} = memory[tap_row + (first + $u) * ${SH * KW} + $kw];
        let seen${u * KW + kw} = vec4f(
          //: for j in 0..4
          grad${u * QUADS + (4 * LEFT + PW - (kw + PW * (SW - 1)) / SW + j) / 4}[${(4 * LEFT + PW - (kw + PW * (SW - 1)) / SW + j) % 4}],
          //: end
        );
        //: for m in 0..IN_CHANNELS
        sum${m * SW + (kw + PW * (SW - 1)) % SW} = fma(
          vec4f(tap${u * KW + kw}[$m]),
          seen${u * KW + kw},
          sum${m * SW + (kw + PW * (SW - 1)) % SW},
        );
        //: end
        //: end
        //: end
      }
    }
  }
  workgroupBarrier();
  if (split > 0) {
    //: for i in 0..SUMS
    memory[$i * ${PLACES * (SPLITS - 1)} + thread - $PLACES] = sum$i;
    //: end
  }
  workgroupBarrier();
  if ((split == 0) & (image < $BATCH)) {
    //: for s in 0..SPLITS - 1
    //: for i in 0..SUMS
    sum$i += memory[${(i * (SPLITS - 1) + s) * PLACES} + thread];
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
