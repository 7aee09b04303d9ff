// The gradient of a convolution for its input (equally a transposed convolution), one element of
// the input a thread, summed over channels FIRST to LAST of grad: it gathers from every output whose window
// covers it, so no two threads write the same place. A tap reaches an output only where the distance is a
// multiple of the stride.

const OH: i32 = $OH;
const OW: i32 = $OW;
const CHANNELS: u32 = $CHANNELS; // of grad, per group
const IN_CHANNELS: u32 = $IN_CHANNELS; // of the whole input

$SLOTS

@compute @workgroup_size($WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  $BEGIN
  let index = id.y * $ROW + id.x;
  if (index >= $COUNT) {
    return;
  }
  let column = index % $W;
  let row = index / $W % $H;
  let inChannel = index / ($W * $H) % IN_CHANNELS;
  let image = index / ($W * $H * IN_CHANNELS);
  let perGroup = IN_CHANNELS / $GROUPS;
  let group = inChannel / perGroup;

  var sum = $START;
  for (var kh = 0u; kh < $KH; kh++) {
    let h = i32(row + $PH) - i32(kh * $DH);
    if (h < 0 || h % $SH != 0 || h / $SH >= OH) {
      continue;
    }
    for (var kw = 0u; kw < $KW; kw++) {
      let w = i32(column + $PW) - i32(kw * $DW);
      if (w < 0 || w % $SW != 0 || w / $SW >= OW) {
        continue;
      }
      for (var c = $FIRSTu; c < $LASTu; c++) {
        let outChannel = group * CHANNELS + c;
        let plane = image * (CHANNELS * $GROUPS) + outChannel;
        let tap = ((outChannel * perGroup + inChannel % perGroup) * $KH + kh) * $KW + kw;
        let pixel = (plane * $OH + u32(h / $SH)) * $OW + u32(w / $SW);
        sum = fma(load_grad(pixel), load_weight(tap), sum);
      }
    }
  }
  finish(index, sum);
}
