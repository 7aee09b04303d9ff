// The second pass of products whose depth was split: adds up the parts that gemm_image.wgsl wrote, in order,
// and puts each result in its place. A thread adds a texel, four results; the functions before this
// text say what and where they are.

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  begin_instance(id.z);
  let thread = id.y * $ROW + id.x;
  if (thread >= $COUNT) {
    return;
  }
  let group = thread % $GROUPSu;
  let row = thread / $GROUPSu;
  var sum = vec4f();
  for (var split = 0u; split < $SPLITSu; split++) {
    let at = (split * ${SLICES * M}u + row) * $GROUPSu + group;
    sum += load_parts(at);
  }
  let to = column(row / $Mu, group);
  //: if QUADS
  let at = place(to, row % $Mu, 0u);
  if (at != nowhere) {
    finish(at / 4u, sum);
  }
  //: else
  //: for i in 0..4
  {
    let at = place(to, row % $Mu, ${i}u);
    if (at != nowhere) {
      finish(at, sum[$i]);
    }
  }
  //: end
  //: end
}
