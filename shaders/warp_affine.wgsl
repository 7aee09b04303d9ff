// Pictures resampled where a matrix each says: straight between pixels, mirrored beyond the edges; or the transpose
// of that, by which gradients come back. Both only gather: nobody writes what another thread writes, too. A thread
// makes one pixel in $EACH channels; those, and the picture, are those of its workgroup.

$SLOTS

// Where in pictures of $WIDTH x $HEIGHT a pixel of the result lies: column and row, as a number of pixels.
struct Places {
  right: vec2f, // A pixel to the right in the result.
  down: vec2f,
  origin: vec2f, // The middle of the result.
}

const MIDDLE = vec2f($WIDTHf - 1.0, $HEIGHTf - 1.0) / 2.0;
const RESULT_MIDDLE = vec2f($RESULT_WIDTHf - 1.0, $RESULT_HEIGHTf - 1.0) / 2.0;

fn places_of(slice: u32) -> Places {
  let m = 6u * slice;
  return Places(
    vec2f(load_matrix(m), load_matrix(m + 3u)),
    vec2f(load_matrix(m + 1u), load_matrix(m + 4u)),
    vec2f(load_matrix(m + 2u), load_matrix(m + 5u)) + MIDDLE,
  );
}

fn place_of(p: Places, column: f32, row: f32) -> vec2f {
  let at = vec2f(column, row) - RESULT_MIDDLE;
  return p.origin + at.x * p.right + at.y * p.down;
}

//: if TRANSPOSED
// A place, in pixels from the first, of pixel `at` in mirror image number `tile` of a row.
fn mirror_image(at: u32, tile: f32, length: f32) -> f32 {
  let odd = tile - 2.0 * floor(tile / 2.0);
  return tile * length + select(f32(at), length - 1.0 - f32(at), odd > 0.5);
}

// Sums over the pixels of the result that a pixel, or a mirror image of it, has a part in.
@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  $BEGIN
  const AREA = $WIDTHu * $HEIGHTu;
  const RESULT_AREA = $RESULT_WIDTHu * $RESULT_HEIGHTu;
  let pixel = id.x;
  if (pixel >= AREA) {
    return;
  }
  let column = pixel % $WIDTHu;
  let row = pixel / $WIDTHu;
  let plane = group.y * $EACHu;
  let p = places_of(plane / $CHANNELSu);
  let determinant = p.right.x * p.down.y - p.down.x * p.right.y;
  // How far from its middle a pixel is felt in the result, and a little more for rounding.
  let reach = vec2f(abs(p.down.y) + abs(p.down.x), abs(p.right.y) + abs(p.right.x)) /
    abs(determinant) * 1.001 + 0.01;
  let size = vec2f($WIDTHf, $HEIGHTf);
  // The mirror images that the result sees anything of.
  let seen = RESULT_MIDDLE.x * abs(p.right) + RESULT_MIDDLE.y * abs(p.down) + 1.0;
  let first = floor((p.origin - seen) / size);
  let last = floor((p.origin + seen) / size);
//: for c in 0..EACH
  var sum$c = 0.0;
//: end
  for (var down = first.y; down <= last.y; down += 1.0) {
    for (var across = first.x; across <= last.x; across += 1.0) {
      let image = vec2f(
        mirror_image(column, across, size.x),
        mirror_image(row, down, size.y),
      );
      let away = image - p.origin;
      let middle = RESULT_MIDDLE + vec2f(
        p.down.y * away.x - p.down.x * away.y,
        p.right.x * away.y - p.right.y * away.x,
      ) / determinant;
      let low = vec2i(max(ceil(middle - reach), vec2f()));
      let high = vec2i(min(floor(middle + reach), vec2f($RESULT_WIDTHf - 1.0, $RESULT_HEIGHTf - 1.0)));
      for (var y = low.y; y <= high.y; y++) {
        for (var x = low.x; x <= high.x; x++) {
          let near = 1.0 - abs(place_of(p, f32(x), f32(y)) - image);
          if (near.x > 0.0 && near.y > 0.0) {
            let weight = near.x * near.y;
            let at = plane * RESULT_AREA + u32(y) * $RESULT_WIDTHu + u32(x);
//: for c in 0..EACH
            sum$c = fma(weight, load_x(at + ${c}u * RESULT_AREA), sum$c);
//: end
          }
        }
      }
    }
  }
//: for c in 0..EACH
  finish((plane + ${c}u) * AREA + pixel, sum$c);
//: end
}
//: else
// The pixel at a place of a row that goes on, mirrored, without end.
fn mirrored(at: i32, length: i32) -> u32 {
  let round = ((at % (2 * length)) + 2 * length) % (2 * length);
  return u32(min(round, 2 * length - 1 - round));
}

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u) {
  $BEGIN
  const AREA = $WIDTHu * $HEIGHTu;
  const RESULT_AREA = $RESULT_WIDTHu * $RESULT_HEIGHTu;
  let pixel = id.x;
  if (pixel >= RESULT_AREA) {
    return;
  }
  let first = group.y * $EACHu;
  let at = place_of(
    places_of(first / $CHANNELSu),
    f32(pixel % $RESULT_WIDTHu),
    f32(pixel / $RESULT_WIDTHu),
  );
  let whole = floor(at);
  let part = at - whole;
  let corner = vec2i(whole);
  let left = mirrored(corner.x, $WIDTH);
  let right = mirrored(corner.x + 1, $WIDTH);
  let top = $WIDTHu * mirrored(corner.y, $HEIGHT);
  let bottom = $WIDTHu * mirrored(corner.y + 1, $HEIGHT);
  // Weights of both, not the one with a share of the difference: pixels that lie on pixels stay as they are.
  let weights = vec4f(
    (1.0 - part.y) * (1.0 - part.x),
    (1.0 - part.y) * part.x,
    part.y * (1.0 - part.x),
    part.y * part.x,
  );
//: for c in 0..EACH
  let plane$c = (first + ${c}u) * AREA;
  let near$c = vec4f(
    load_x(plane$c + top + left),
    load_x(plane$c + top + right),
    load_x(plane$c + bottom + left),
    load_x(plane$c + bottom + right),
  );
  finish((first + ${c}u) * RESULT_AREA + pixel, dot(weights, near$c));
//: end
}
//: end
