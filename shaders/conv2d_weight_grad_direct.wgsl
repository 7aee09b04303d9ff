// The gradient of a convolution for its weight, one weight a thread, summed over every position of lines
// FIRST to LAST of all images: the plain form that the fast ones are checked against, and the one for groups.

const H: i32 = $H;
const W: i32 = $W;
const CHANNELS: u32 = $CHANNELS; // of x, per group

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  $BEGIN
  let index = id.y * $ROW + id.x;
  if (index >= $COUNT) {
    return;
  }
  let kw = index % $KW;
  let kh = index / $KW % $KH;
  let channel = index / ($KW * $KH) % CHANNELS;
  let outChannel = index / ($KW * $KH * CHANNELS);
  let group = outChannel / ($OUT_CHANNELS / $GROUPS);

  var sum = $START;
  for (var line = $FIRSTu; line < $LASTu; line++) {
    let image = line / $OH;
    let row = line % $OH;
    let xPlane = (image * $GROUPS + group) * CHANNELS + channel;
    let gradPlane = image * $OUT_CHANNELS + outChannel;
    let h = i32(row * $SH + kh * $DH) - $PH;
    if (h < 0 || h >= H) {
      continue;
    }
    for (var column = 0u; column < $OW; column++) {
      let w = i32(column * $SW + kw * $DW) - $PW;
      if (w >= 0 && w < W) {
        let pixel = (xPlane * $H + u32(h)) * $W + u32(w);
        sum = fma(load_x(pixel), load_grad((gradPlane * $OH + row) * $OW + column), sum);
      }
    }
  }
  finish(index, sum);
}
