// The end of a product's kernel, before the kernel's own text: result `i`, or the four from 4 i on, is stored, or
// what the compiler makes of it.

$LIBRARY
$BINDINGS

fn finish(i: u32, value: $TYPE) {
  $BODY
}
