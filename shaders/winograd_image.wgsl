// Where the products of Winograd's filtering begin in their images, for gemm_image.wgsl.
//
// An input gradient reads the transformed filters of its convolution, whose channels come parity by parity;
// where REVERSED, the last parity of those is the first of its own.

fn a_start(slice: u32) -> u32 {
  //: if REVERSED
  let parity = $PARITIESu - 1u - slice / $FILTERSu;
  //: else
  let parity = slice / $FILTERSu;
  //: end
  return parity * $A_PARITYu + slice % $FILTERSu * $A_SLICEu;
}

fn b_start(slice: u32) -> u32 {
  return slice * $B_SLICEu;
}
