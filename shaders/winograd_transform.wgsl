// Transforms tiles of images for Winograd's filtering: T -> M T M', where M is [SIDE, PATCH]. A thread takes
// a tile of PATCH x PATCH texels (four images, or four channels, side by side) and makes SIDE x SIDE, one
// for each of the products that follow. The launcher writes the sums, for M's numbers are known and half of
// them are zero.
//
//: if MEMORY
// The tile is read from a tensor: the four numbers of a texel lie VECTOR elements apart, and are zero from
// coordinate LIMIT on.
//: if PADDED
// And where the tile's row and column are outside of it.
//: end
//: else
// The tile is read from an image, that was packed with its padding.
//: end

$SLOTS

//: if PADDED
fn element(at: u32, i: u32, inside: bool) -> f32 {
  return select(0.0, load_source(at + i * $VECTORu), inside);
}

fn load(at: u32, vector: u32, inside: bool) -> vec4f {
  return vec4f(
    element(at, 0u, inside & (vector < $LIMITu)),
    element(at, 1u, inside & (vector + 1u < $LIMITu)),
    element(at, 2u, inside & (vector + 2u < $LIMITu)),
    element(at, 3u, inside & (vector + 3u < $LIMITu)),
  );
}
//: end
//: if MEMORY > PADDED
fn element(at: u32, vector: u32, i: u32) -> f32 {
  if (vector + i >= $LIMITu) {
    return 0.0;
  }
  return load_source(at + i * $VECTORu);
}

fn load(at: u32, vector: u32) -> vec4f {
  return vec4f(
    element(at, vector, 0u),
    element(at, vector, 1u),
    element(at, vector, 2u),
    element(at, vector, 3u),
  );
}
//: end
//: if MEMORY == 0
fn load(at: u32, vector: u32) -> vec4f {
  return load_source(at);
}
//: end

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  begin_instance(id.z);
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var origin = $BASEu;
  var place = 0u;
  var vector = 0u;
  //: if PADDED
  var top = $TOPu;
  var left = $LEFTu;
  //: end
$AXES
  //: if MEMORY
  // Loops over lines keep what is compiled short: a load of memory is a loop over lanes already. Their bounds
  // are not constants, which would have them unrolled again.
  //: for i in 0..PATCH
  //: for j in 0..PATCH
  var t${i}_$j = vec4f();
  //: end
  //: end
  //: if PADDED
  // Coordinates above or left of the tensor wrap around to large ones, and so do places.
  for (var row = top; row != top + ${PATCH * STEP}u; row += $STEPu) {
    let line = origin + row * $WIDTHu + left;
  //: else
  for (var line = origin; line < origin + ${PATCH * DOWN}u; line += $DOWNu) {
  //: end
    //: for i in 0..PATCH-1
    //: for j in 0..PATCH
    t${i}_$j = t${i + 1}_$j;
    //: end
    //: end
    //: for j in 0..PATCH
    //: if PADDED
    t${PATCH - 1}_$j = load(
      line + ${j * STEP}u,
      vector,
      (row < $HEIGHTu) & (left + ${j * STEP}u < $WIDTHu),
    );
    //: else
    t${PATCH - 1}_$j = load(line + ${j * ACROSS}u, vector);
    //: end
    //: end
  }
  //: else
  //: for i in 0..PATCH
  //: for j in 0..PATCH
  let t${i}_$j = load(origin + ${i * DOWN + j * ACROSS}u, vector);
  //: end
  //: end
  //: end
$SUMS
  for (var line = place; line < place + ${SIDE * SIDE * SLICE}u; line += ${SIDE * SLICE}u) {
    //: for j in 0..SIDE
    store_result(line + ${j * SLICE}u, m0_$j);
    //: end
    //: for i in 0..SIDE-1
    //: for j in 0..SIDE
    m${i}_$j = m${i + 1}_$j;
    //: end
    //: end
  }
}
