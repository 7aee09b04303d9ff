// A convolution to at most four channels, with stride and dilation 1, for GPUs. So few channels use a number
// too seldom for a tile of x in workgroup memory to pay; the taps of a row share most of what they see. So a
// thread makes four neighbours of a row in every output channel, from rows of x that it reads once into
// registers, as vec4f; they lie LEFT quads to the left of the output's and further, QUADS in all.
//
// A workgroup brings the weights of CHUNK input channels into its memory at a time, those of the output
// channels side by side.

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;

var<workgroup> taps: array<array<array<vec4f, $KW>, $KH>, $CHUNK>;

fn load_tap(channel: u32, tap: u32) -> vec4f {
  var values = vec4f();
  //: for m in 0..OUT_CHANNELS
  values[$m] = weight[(${m * IN_CHANNELS} + channel) * ${KH * KW} + tap];
  //: end
  return values;
}

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let quad = (workgroup.y * $ROW + workgroup.x) * $WORKGROUP + thread;
  let image = quad / ${OH * OW / 4};
  let top = select(-0x1000000, i32(quad / ${OW / 4} % $OH) - $PH, image < $BATCH);
  let left = i32(quad % ${OW / 4}) - $LEFT;
  //: for m in 0..OUT_CHANNELS
  var sum$m = vec4f();
  //: end
  for (var channel0 = 0u; channel0 < $IN_CHANNELS; channel0 += $CHUNK) {
    let channels = min($CHUNK, $IN_CHANNELS - channel0);
    workgroupBarrier();
    for (var i = thread; i < channels * ${KH * KW}; i += $WORKGROUP) {
      let c = i / ${KH * KW};
      let tap = i % ${KH * KW};
      taps[c][tap / $KW][tap % $KW] = load_tap(channel0 + c, tap);
    }
    workgroupBarrier();
    for (var c = 0u; c < channels; c++) {
      let plane = i32(image * $IN_CHANNELS + channel0 + c) * $H;
      //: if UNROLL < KH
      for (var first = 0u; first < $KH; first += $UNROLL) {
      //: else
      {
        const first = 0u;
      //: end
        //: for u in 0..UNROLL
        let h$u = top + i32(first) + $u;
        let at$u = (plane + h$u) * ${W / 4} + left;
        //: for q in 0..QUADS
        var x${u * QUADS + q} = vec4f();
        if ((u32(h$u) < $H) & (u32(left + $q) < ${W / 4})) {
          x${u * QUADS + q} = x[at$u + $q];
        }
        //: end
        //: for kw in 0..KW
        let tap${u * KW + kw} = taps[c][first + $u][$kw];
        let seen${u * KW + kw} = vec4f(
          //: for j in 0..4
          x${u * QUADS + (4 * LEFT - PW + kw + j) / 4}[${(4 * LEFT - PW + kw + j) % 4}],
          //: end
        );
        //: for m in 0..OUT_CHANNELS
        sum$m = fma(vec4f(tap${u * KW + kw}[$m]), seen${u * KW + kw}, sum$m);
        //: end
        //: end
        //: end
      }
    }
  }
  if (image < $BATCH) {
    //: for m in 0..OUT_CHANNELS
    finish((image * $OUT_CHANNELS + $m) * ${OH * OW / 4} + quad % ${OH * OW / 4}, sum$m);
    //: end
  }
}
