// A batched matrix product, one output a thread: the plain form the fast ones are checked against.

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  $BEGIN
  let index = id.y * $ROW + id.x;
  if (index >= $COUNT) {
    return;
  }
  let column = index % $N;
  let row = index / $N % $M;
  let slice = index / ($N * $M);
  var sum = 0.0;
  for (var k = 0u; k < $K; k++) {
    sum = fma(
      load_a(slice * $A_SLICE + row * $A_ROW + k * $A_STEP),
      load_b(slice * $B_SLICE + column * $B_COLUMN + k * $B_STEP),
      sum,
    );
  }
  finish(index, sum);
}
