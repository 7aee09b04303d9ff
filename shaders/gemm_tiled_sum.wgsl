// Adds the parts of a product whose depth was split, in order: TERMS of them, DISTANCE elements apart.
// Eight are read before any is added, for a sum is short and waits for memory alone.

@group(0) @binding(0) var<storage, read_write> parts: array<$TYPE>;

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = id.y * $ROW + id.x;
  if (at >= $COUNT) {
    return;
  }
  var sum = $TYPE();
  var place = at;
  for (var eight = 0u; eight < ${TERMS / 8}; eight++) {
    //: for i in 0..8
    let part$i = parts[place + ${i * DISTANCE}];
    //: end
    //: for i in 0..8
    sum += part$i;
    //: end
    place += ${8 * DISTANCE};
  }
  //: for i in 0..TERMS % 8
  let part$i = parts[place + ${i * DISTANCE}];
  //: end
  //: for i in 0..TERMS % 8
  sum += part$i;
  //: end
  finish(at, sum);
}
