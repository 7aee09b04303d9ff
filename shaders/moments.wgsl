// Mean and biased variance of each channel of x: [outer, channels, inner], one workgroup a channel. The mean is
// complete before distances from it are squared, so a large mean does not cancel the variance.

@group(0) @binding(0) var<storage, read_write> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> result: array<f32>; // [2, channels]

var<workgroup> partial: array<f32, $WORKGROUP>;

fn fold(lane: u32, value: f32) -> f32 {
  partial[lane] = value;
  for (var width = $WORKGROUPu / 2u; width > 0u; width /= 2u) {
    workgroupBarrier();
    if (lane < width) { partial[lane] += partial[lane + width]; }
  }
  workgroupBarrier();
  let total = partial[0];
  workgroupBarrier();
  return total;
}

fn load(channel: u32, i: u32) -> f32 {
  return x[(i / $INNERu * $CHANNELSu + channel) * $INNERu + i % $INNERu];
}

@compute @workgroup_size($WORKGROUP)
fn main(
  @builtin(workgroup_id) workgroup: vec3<u32>,
  @builtin(local_invocation_index) lane: u32,
  @builtin(num_workgroups) grid: vec3<u32>,
) {
  let at = workgroup.x + workgroup.y * grid.x;
  let channel = min(at, $CHANNELSu - 1u);

  var sum = 0.0;
  for (var i = lane; i < $COUNTu; i += $WORKGROUPu) { sum += load(channel, i); }
  let mean = fold(lane, sum) / f32($COUNTu);

  var squares = 0.0;
  for (var i = lane; i < $COUNTu; i += $WORKGROUPu) {
    let distance = load(channel, i) - mean;
    squares += distance * distance;
  }
  let variance = fold(lane, squares) / f32($COUNTu);

  if (lane == 0u && at < $CHANNELSu) {
    result[channel] = mean;
    result[$CHANNELSu + channel] = variance;
  }
}
