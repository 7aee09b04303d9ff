// The gradient of a convolution to at most four channels, with stride and dilation 1, for its weight, for GPUs:
// a product with so short a side that its tiles would use a number of x too seldom. So a thread goes down a
// strip of the output, a quad wide and at most BAND rows long, and keeps its sums in registers: for every output
// channel, all KW taps of ROWS of the kernel's rows, and CHANNELS input channels, SUMS in all. So it keeps the
// rows of x that these taps see, as vec4f: LEFT quads to the left of the output's and further, QUADS in all. A row
// of the output brings one of x.
//
// The strips of a workgroup are added in their order, and then by another kernel those of GROUPS workgroups, which
// leave RESULTS numbers each. Workgroups that read the same strips of x or of grad come one after another.

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> grad: array<vec4f>;

// One longer than there are strips, so that threads that add them up read from different banks.
var<workgroup> strips: array<array<f32, ${WORKGROUP + 1}>, $SUMS>;

// Without a branch, so that a compiler can let several loads wait for memory together.
fn load_x(plane: u32, h: i32, quad: i32) -> vec4f {
  let inside = (u32(h) < $H) & (u32(quad) < ${W / 4});
  let at = select(0, (i32(plane) * $H + h) * ${W / 4} + quad, inside);
  return select(vec4f(), x[at], inside);
}

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let number = workgroup.y * $ROW + workgroup.x;
  let kernel_row = number % $PARTS * $ROWS;
  let channel = number / $PARTS % ${IN_CHANNELS / CHANNELS} * $CHANNELS;
  let group = number / ${PARTS * (IN_CHANNELS / CHANNELS)};
  let strip = group * $WORKGROUP + thread;
  let column = strip % ${OW / 4};
  let first = strip / ${OW / 4} % $BANDS * $BAND;
  let image = strip / ${OW / 4 * BANDS};
  let end = select(0u, min(first + $BAND, $OH), image < $BATCH);
  let plane = image * $IN_CHANNELS + channel;
  let top = select(-0x1000000, i32(first + kernel_row) - $PH, image < $BATCH);
  let left = i32(column) - $LEFT;
  //: for i in 0..SUMS
  var sum$i = 0.0;
  //: end
  //: for r in 0..ROWS - 1
  //: for c in 0..CHANNELS
  //: for q in 0..QUADS
  var x${(r * CHANNELS + c) * QUADS + q} = load_x(plane + $c, top + $r, left + $q);
  //: end
  //: end
  //: end
  for (var oh = first; oh < end; oh++) {
    //: for m in 0..OUT_CHANNELS
    let grad$m = grad[((image * $OUT_CHANNELS + $m) * $OH + oh) * ${OW / 4} + column];
    //: end
    let bottom = i32(oh + kernel_row) - $PH + ${ROWS - 1};
    //: for c in 0..CHANNELS
    //: for q in 0..QUADS
    let x${((ROWS - 1) * CHANNELS + c) * QUADS + q} = load_x(plane + $c, bottom, left + $q);
    //: end
    //: end
    //: for r in 0..ROWS
    //: for c in 0..CHANNELS
    //: for j in 0..4
    //: for kw in 0..KW
    let seen${((r * CHANNELS + c) * 4 + j) * KW + kw} =
      x${(r * CHANNELS + c) * QUADS + (4 * LEFT - PW + kw + j) / 4}[${(4 * LEFT - PW + kw + j) % 4}];
    //: for m in 0..OUT_CHANNELS
    sum${((c * OUT_CHANNELS + m) * ROWS + r) * KW + kw} = fma(
      grad$m[$j],
      seen${((r * CHANNELS + c) * 4 + j) * KW + kw},
      sum${((c * OUT_CHANNELS + m) * ROWS + r) * KW + kw},
    );
    //: end
    //: end
    //: end
    //: end
    //: end
    //: for i in 0..(ROWS - 1) * CHANNELS * QUADS
    x$i = x${i + CHANNELS * QUADS};
    //: end
  }
  //: for i in 0..SUMS
  strips[$i][thread] = sum$i;
  //: end
  workgroupBarrier();
  let kw = thread % $KW;
  let kh = kernel_row + thread / $KW % $ROWS;
  let m = thread / ${KW * ROWS} % $OUT_CHANNELS;
  let c = channel + thread / ${KW * ROWS * OUT_CHANNELS};
  if ((thread < $SUMS) & (kh < $KH) & (group < $GROUPS)) {
    var total = 0.0;
    for (var i = 0u; i < $WORKGROUP; i++) {
      total += strips[thread][i];
    }
    finish(group * $RESULTS + ((m * $IN_CHANNELS + c) * $KH + kh) * $KW + kw, total);
  }
}
