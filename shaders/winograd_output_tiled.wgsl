// The last transform of Winograd's filtering on GPUs: T -> M T M', where M is [SIDE, PATCH], and T a number of each
// of PATCH x PATCH products, SLICE apart. The sums are rows, STEP apart, of a tensor of HEIGHT x WIDTH. Across them
// the numbers of TILES tiles alternate, whose products lie NEXT apart: a thread makes them all, and hands their rows
// to `finish`, which engine/kernels/results.ts writes. Neighbouring threads read neighbours.
//
// With QUADS, numbers go by four. Where a row has two quads, neighbouring threads compute the same, and have one of
// them each, that at `left`: so together they write whole sectors. With WHOLE, no tile reaches beyond the tensor.

@group(0) @binding(0) var<storage, read_write> products: array<f32>;

// The sums of row i and column j, at i * SIDE + j.
fn tile(origin: u32) -> array<f32, ${SIDE * SIDE}> {
  //: for i in 0..PATCH
  //: for j in 0..PATCH
  let t${i}_$j = products[origin + ${(i * PATCH + j) * SLICE}u];
  //: end
  //: end
$SUMS
  return array(
    //: for i in 0..SIDE
    //: for j in 0..SIDE
    m${i}_$j,
    //: end
    //: end
  );
}

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var origin = 0u;
  var place = 0u;
  var top = 0u;
  var left = 0u;
$AXES
  //: for t in 0..TILES
  let tile$t = tile(origin + ${t * NEXT}u);
  //: end
  //: for i in 0..SIDE
  //: if QUADS
  //: if !WHOLE
  if ((top + ${i * STEP}u < $HEIGHTu) & (left < $WIDTHu))
  //: end
  {
    //: for q in 0..SIDE * TILES / 4
    let quad$q = vec4f(
      //: for c in 4 * q..4 * q + 4
      tile${c % TILES}[${i * SIDE + c / TILES}],
      //: end
    );
    //: end
    //: if SIDE * TILES == 8
    let quad = select(quad0, quad1, left % 8 == 4);
    //: else
    let quad = quad0;
    //: end
    finish((place + ${i * STEP * WIDTH}u) / 4, quad);
  }
  //: else
  //: for c in 0..SIDE * TILES
  //: if !WHOLE
  if ((top + ${i * STEP}u < $HEIGHTu) & (left + $c < $WIDTHu))
  //: end
  {
    finish(place + ${i * STEP * WIDTH + c}u, tile${c % TILES}[${i * SIDE + c / TILES}]);
  }
  //: end
  //: end
  //: end
}
