// Cross-correlation of an NCHW batch, one output a thread, summed over channels FIRST to LAST: the plain
// form that the fast ones are checked against, and the one for grouped convolutions. No tiling:
// neighbouring threads own neighbouring columns of the output, so that reads of x are coalesced and the
// weight is broadcast.

const H: i32 = $H;
const W: i32 = $W;
const OH: u32 = $OH;
const OW: u32 = $OW;
const CHANNELS: u32 = $CHANNELS; // of x, per group
const OUT_CHANNELS: u32 = $OUT_CHANNELS;

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  $BEGIN
  let index = id.y * $ROW + id.x;
  if (index >= $COUNT) {
    return;
  }
  let column = index % OW;
  let row = index / OW % OH;
  let outChannel = index / (OW * OH) % OUT_CHANNELS;
  let image = index / (OW * OH * OUT_CHANNELS);
  let group = outChannel / ($OUT_CHANNELS / $GROUPS);
  let top = i32(row * $SH) - $PH;
  let left = i32(column * $SW) - $PW;

  var sum = $START;
  for (var c = $FIRSTu; c < $LASTu; c++) {
    let plane = (image * $GROUPS + group) * CHANNELS + c;
    for (var kh = 0u; kh < $KH; kh++) {
      let h = top + i32(kh * $DH);
      if (h < 0 || h >= H) {
        continue;
      }
      for (var kw = 0u; kw < $KW; kw++) {
        let w = left + i32(kw * $DW);
        if (w >= 0 && w < W) {
          let tap = ((outChannel * CHANNELS + c) * $KH + kh) * $KW + kw;
          let pixel = (plane * $H + u32(h)) * $W + u32(w);
          sum = fma(load_x(pixel), load_weight(tap), sum);
        }
      }
    }
  }
  finish(index, sum);
}
