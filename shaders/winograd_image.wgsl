// Where the products of Winograd's filtering begin in their images, for gemm_image.wgsl.

fn a_start(slice: u32) -> u32 {
  return slice * $A_SLICEu;
}

fn b_start(slice: u32) -> u32 {
  return slice * $B_SLICEu;
}
