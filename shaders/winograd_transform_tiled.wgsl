// Transforms tiles for Winograd's filtering on GPUs: T -> M T M', where M is [SIDE, PATCH]. A thread takes rows of a
// plane of HEIGHT x WIDTH, zeros where they lie outside of it, and of every STEP-th number of them makes SIDE x SIDE,
// one for each of the products that follow, SLICE apart. It does so for all PARITIES of the rows, which begin SHIFT
// apart and end up NEXT apart, for they share what is read. Neighbouring threads have neighbouring tiles, or filters,
// and write neighbours. The launcher writes the sums, for M's numbers are known and half of them are zero.
//
// Coordinates above and left of the plane wrap around to large ones, so that each has one bound to pass. What lies
// outside is read as well, and may be anything, as WGSL has it where that leads out of the tensor: so a thread asks for
// all that it needs before it waits. Conditions are joined by `&`: see gemm_tiled.wgsl.
//
// With QUADS, rows are read as vectors of four, the first of which begins OFFSET numbers to the left of the tile; of a
// quad that shows one number, that alone.

@group(0) @binding(0) var<storage, read_write> source: array<$TYPE>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>;

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  var rest = id.y * $ROW + id.x;
  if (rest >= $COUNT) {
    return;
  }
  var origin = $ORIGINu;
  var place = 0u;
  var top = $TOPu;
  var left = $LEFTu;
$AXES
  //: for i in 0..PATCH
  let down$i = top + ${i * STEP}u < $HEIGHTu;
  //: end
  //: if QUADS
  //: for q in 0..(OFFSET + COLUMNS + 3) / 4
  let across$q = left + ${4 * q}u < $WIDTHu;
  //: end
  //: for i in 0..PATCH
  //: for q in 0..(OFFSET + COLUMNS + 3) / 4
  //: if (q == 0 && OFFSET == 3) || (4 * q + 1 == OFFSET + COLUMNS)
  let quad${i}_$q = vec4f(
    select(0.0, source[origin + ${i * STEP * WIDTH / 4 + q}u][${3 * (q == 0)}], down$i & across$q),
  );
  //: else
  let quad${i}_$q = select(
    vec4f(),
    source[origin + ${i * STEP * WIDTH / 4 + q}u],
    down$i & across$q,
  );
  //: end
  //: end
  //: for k in 0..COLUMNS
  let s${i}_$k = quad${i}_${(OFFSET + k) / 4}[${(OFFSET + k) % 4}];
  //: end
  //: end
  //: else
  //: for k in 0..COLUMNS
  let across$k = left + ${k}u < $WIDTHu;
  //: end
  //: for i in 0..PATCH
  //: for k in 0..COLUMNS
  let s${i}_$k = select(0.0, source[origin + ${i * STEP * WIDTH + k}u], down$i & across$k);
  //: end
  //: end
  //: end
  //: for p in 0..PARITIES
  {
    //: for i in 0..PATCH
    //: for j in 0..PATCH
    let t${i}_$j = s${i}_${j * STEP + p * SHIFT};
    //: end
    //: end
$SUMS
    //: for i in 0..SIDE
    //: for j in 0..SIDE
    result[place + ${p * NEXT + (i * SIDE + j) * SLICE}u] = m${i}_$j;
    //: end
    //: end
  }
  //: end
}
