// A convolution to at most four channels, with stride and dilation 1, for GPUs. So few channels use a number too
// seldom for a tile of x in workgroup memory to pay; neighbours share most of what they see. So a thread makes a
// quad of ROWS rows, one below the other, in every output channel, from rows of x that it reads into registers, as
// vec4f: LEFT quads to the left of the output's and further, QUADS in all.
//
// It goes by blocks of UNROLL rows of the kernel, BLOCKS to an input channel, and reads for the next before it works
// on one: so it waits for memory once a block at most, in whatever order a compiler likes its loads. SPLITS threads
// share the blocks of a place. They add up in order what they leave in their workgroup's memory, a row each.

@group(0) @binding(0) var<storage, read_write> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;

// The taps of CHUNK input channels, TAPS to a row of the kernel, and at the end the sums.
var<workgroup> memory: array<vec4f, $MEMORY>;

// Four of the numbers of a kernel's row: of every tap those of the output channels. What fills up the last is not used.
fn load_taps(channel: u32, row: u32, quad: u32) -> vec4f {
  return vec4f(
    //: for j in 0..4
    weight[
      (((4 * quad + $j) % $OUT_CHANNELS * $IN_CHANNELS + channel) * $KH + row) * $KW +
      min((4 * quad + $j) / $OUT_CHANNELS, ${KW - 1})
    ],
    //: end
  );
}

struct Seen {
  //: for i in 0..(ROWS - 1 + UNROLL) * QUADS
  quad$i: vec4f,
  //: end
}

// What a block sees, from quad `at` of x on; of a quad that shows one number, that alone. Outside of a plane it may be
// anything, as WGSL has it where `at` leads out of x.
fn load_seen(at: i32) -> Seen {
  return Seen(
    //: for i in 0..ROWS - 1 + UNROLL
    //: for q in 0..QUADS
    //: if (q == 0 && 4 * LEFT - PW == 3) || (q == QUADS - 1 && (4 * LEFT - PW + KW) % 4 == 2)
    vec4f(x[at + ${i * (W / 4) + q}][${3 * (q == 0)}]),
    //: else
    x[at + ${i * (W / 4) + q}],
    //: end
    //: end
    //: end
  );
}

@compute @workgroup_size(${PLACES * SPLITS})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let split = thread / $PLACES;
  let place = (workgroup.y * $ROW + workgroup.x) * $PLACES + thread % $PLACES;
  let column = place % ${OW / 4};
  let oh = place / ${OW / 4} % ${(OH + ROWS - 1) / ROWS} * $ROWS;
  let image = place / ${OW / 4 * ((OH + ROWS - 1) / ROWS)};
  let top = select(-0x1000000, i32(oh) - $PH, image < $BATCH);
  let left = i32(column) - $LEFT;
  //: for i in 0..OUT_CHANNELS * ROWS
  var sum$i = vec4f();
  //: end
  for (var channel0 = 0u; channel0 < $IN_CHANNELS; channel0 += $CHUNK) {
    let channels = min($CHUNK, $IN_CHANNELS - channel0);
    let plane = i32(image * $IN_CHANNELS + channel0);
    let last = channels * $BLOCKS - 1;
    let first = min(split, last);
    var ahead = load_seen(
      ((plane + i32(first / $BLOCKS)) * $H + top + i32(first % $BLOCKS * $UNROLL)) * ${W / 4} + left,
    );
    workgroupBarrier();
    for (var i = thread; i < channels * ${KH * TAPS}; i += ${PLACES * SPLITS}) {
      memory[i] = load_taps(channel0 + i / ${KH * TAPS}, i / $TAPS % $KH, i % $TAPS);
    }
    workgroupBarrier();
    for (var block = split; block <= last; block += $SPLITS) {
      let h = top + i32(block % $BLOCKS * $UNROLL);
      //: for i in 0..ROWS - 1 + UNROLL
      //: for q in 0..QUADS
      let x${i * QUADS + q} = select(
        vec4f(),
        ahead.quad${i * QUADS + q},
        (u32(h + $i) < $H) & (u32(left + $q) < ${W / 4}),
      );
      //: end
      //: end
      let next = min(block + $SPLITS, last);
      ahead = load_seen(
        ((plane + i32(next / $BLOCKS)) * $H + top + i32(next % $BLOCKS * $UNROLL)) * ${W / 4} + left,
      );
      //: for u in 0..UNROLL
      //: for t in 0..TAPS
      let taps${u * TAPS + t} = memory[block * ${UNROLL * TAPS} + ${u * TAPS + t}];
      //: end
      //: for kw in 0..KW
      //: for r in 0..ROWS
      let seen${(u * KW + kw) * ROWS + r} = vec4f(
        //: for j in 0..4
        x${(u + r) * QUADS + (4 * LEFT - PW + kw + j) / 4}[${(4 * LEFT - PW + kw + j) % 4}],
        //: end
      );
      //: for m in 0..OUT_CHANNELS
      sum${m * ROWS + r} = fma(
        vec4f(taps${u * TAPS + (kw * OUT_CHANNELS + m) / 4}[${(kw * OUT_CHANNELS + m) % 4}]),
        seen${(u * KW + kw) * ROWS + r},
        sum${m * ROWS + r},
      );
      //: end
      //: end
      //: end
      //: end
    }
  }
  workgroupBarrier();
  //: for i in 0..OUT_CHANNELS * ROWS
  memory[${i * PLACES * SPLITS} + thread] = sum$i;
  //: end
  workgroupBarrier();
  if ((split < $ROWS) & (oh + split < $OH) & (image < $BATCH)) {
    //: for m in 0..OUT_CHANNELS
    let at$m = (${m * ROWS} + split) * ${PLACES * SPLITS} + thread % $PLACES;
    var total$m = memory[at$m];
    //: for s in 1..SPLITS
    total$m += memory[at$m + ${s * PLACES}];
    //: end
    finish(((image * $OUT_CHANNELS + $m) * $OH + oh + split) * ${OW / 4} + column, total$m);
    //: end
  }
}
