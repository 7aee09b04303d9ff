import { Buffer } from "node:buffer";
import { assertEquals, assertThrows } from "@std/assert";
import { decodeSafetensors, encodeSafetensors } from "../../engine/safetensors.ts";

/** A file with the header as given and `data` zero bytes after it. */
function file(header: unknown, data = 0): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function entry(begin: number, end: number, shape = [(end - begin) / 4], dtype = "F32"): unknown {
  return { dtype, shape, data_offsets: [begin, end] };
}

function assertRefused(bytes: Uint8Array, reason: string): void {
  const error = assertThrows(() => decodeSafetensors(bytes), Error, reason);
  assertEquals(error.message.startsWith("Cannot read safetensors: "), true);
  assertEquals(error.message.includes("\n"), false);
}

Deno.test("what is encoded is decoded: every type, shapes, scalars, nothing at all, and metadata", () => {
  const tensors = {
    bytes: { dtype: "u8", shape: [3], data: new Uint8Array([1, 2, 255]) },
    "fc.weight": { dtype: "f32", shape: [2, 2], data: new Float32Array([1, -0, NaN, Infinity]) },
    scalar: { dtype: "i32", shape: [], data: new Int32Array([-7]) },
    none: { dtype: "f32", shape: [0, 5], data: new Float32Array() },
    key: { dtype: "u32", shape: [2], data: new Uint32Array([0xffffffff, 1]) },
    half: { dtype: "f16", shape: [3], data: new Float16Array([0.5, -65504, 2 ** -24]) },
    constructor: { dtype: "u8", shape: [1, 2], data: new Uint8Array([0, 1]) },
  } as const;
  const metadata = { step: "12", 'a "quoted" name': "é\n" };
  assertEquals(decodeSafetensors(encodeSafetensors(tensors, metadata)), {
    tensors: { ...tensors },
    metadata,
  });
  assertEquals(decodeSafetensors(encodeSafetensors({})), { tensors: {}, metadata: {} });
});

Deno.test("the same tensors give the same bytes in any order, aligned for their type", () => {
  const a = { dtype: "u8", shape: [3], data: new Uint8Array([1, 2, 3]) } as const;
  const b = { dtype: "f32", shape: [1], data: new Float32Array([4]) } as const;
  const bytes = encodeSafetensors({ a, b });
  assertEquals(bytes, encodeSafetensors({ b, a }));
  const headerLength = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assertEquals(headerLength % 8, 0);
  assertEquals(new Float32Array(bytes.buffer, 8 + headerLength, 1), b.data);
});

Deno.test("a view into a larger array is written without its surroundings", () => {
  const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
  const bytes = encodeSafetensors({ x: { dtype: "f32", shape: [2], data } });
  assertEquals(decodeSafetensors(bytes).tensors.x.data, new Float32Array([1, 2]));
});

Deno.test("a file inside a larger array is decoded whatever its alignment", () => {
  const bytes = encodeSafetensors({ x: { dtype: "f32", shape: [1], data: new Float32Array([5]) } });
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  assertEquals(decodeSafetensors(shifted.subarray(1)).tensors.x.data, new Float32Array([5]));
});

Deno.test("a file in Node's Buffer, whose slices are views, is decoded into arrays of its own", () => {
  const a = { dtype: "f32", shape: [2], data: new Float32Array([1, 2]) } as const;
  const bytes = Buffer.from(encodeSafetensors({ a }));
  const { data } = decodeSafetensors(bytes).tensors.a;
  bytes.fill(0);
  assertEquals(data, a.data);
});

Deno.test("arrays that are not what they declare are not written", () => {
  const data = new Float32Array(3);
  assertThrows(
    () => encodeSafetensors({ x: { dtype: "f32", shape: [2], data } }),
    Error,
    "2 elements vs 3",
  );
  assertThrows(
    () => encodeSafetensors({ x: { dtype: "i32", shape: [3], data } }),
    Error,
    "Float32Array",
  );
  assertThrows(
    () => encodeSafetensors({ __metadata__: { dtype: "f32", shape: [3], data } }),
    Error,
    "reserved",
  );
});

Deno.test("a file cut anywhere is refused", () => {
  const bytes = encodeSafetensors({ x: { dtype: "f32", shape: [3], data: new Float32Array(3) } });
  for (let length = 0; length < bytes.length; length++) assertRefused(bytes.slice(0, length), "");
});

Deno.test("a header length beyond the file or the format's limit is refused before it is believed", () => {
  const bytes = file({});
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 3n, true);
  assertRefused(bytes, "claims 3 bytes, the file has 2");
  view.setBigUint64(0, 0xffffffffffffffffn, true);
  assertRefused(bytes, "claims 18446744073709551615 bytes");
  assertRefused(new Uint8Array(7), "7 bytes");
});

Deno.test("a header that is not one JSON object in UTF-8 is refused", () => {
  for (const header of ["", "{", "[]", "null", "7", " {}", "{}x", '{"a":1,}']) {
    assertRefused(file(header), "header");
  }
  const bytes = file('{"a":0}');
  bytes[10] = 0xff;
  assertRefused(bytes, "UTF-8");
  assertRefused(file("[".repeat(100_000)), "JSON object");
});

Deno.test("a key twice is refused, however it is spelt and wherever it is", () => {
  assertRefused(file('{"x":1,"x":2}'), '"x" twice');
  assertRefused(file('{"x" : 1, "\\u0078"\n: 2}'), '"x" twice');
  assertRefused(
    file('{"x":{"dtype":"F32","shape":[0],"shape":[1],"data_offsets":[0,4]}}', 4),
    '"shape" twice',
  );
  assertRefused(file('{"__metadata__":{"a":"1","a":"2"}}'), '"a" twice');
});

Deno.test("keys that only look equal are not mistaken for each other", () => {
  const header =
    '{"__metadata__":{"x":"x","y":"\\"x\\":{"},"x":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}';
  assertEquals(decodeSafetensors(file(header)).metadata, { x: "x", y: '"x":{' });
});

Deno.test("bytes that belong to no tensor or to two are refused", () => {
  assertRefused(file({ a: entry(4, 8) }, 8), '4 bytes between the beginning and tensor "a"');
  assertRefused(file({ a: entry(0, 4), b: entry(8, 12) }, 12), 'between tensor "a" and tensor "b"');
  assertRefused(file({ a: entry(0, 4) }, 6), '2 bytes after tensor "a"');
  assertRefused(file({}, 1), "1 bytes after the beginning");
  assertRefused(file({ a: entry(0, 8), b: entry(4, 12) }, 12), 'tensor "b" overlaps tensor "a"');
  assertRefused(file({ a: entry(0, 8), b: entry(0, 8) }, 8), "overlaps");
});

Deno.test("offsets that do not fit the file or the shape are refused", () => {
  assertRefused(file({ a: entry(0, 8) }, 4), "ends at byte 8");
  assertRefused(file({ a: entry(8, 4, [1]) }, 8), "before its beginning");
  assertRefused(file({ a: entry(0, 4, [2]) }, 4), "needs 8 bytes, but has 4");
  assertRefused(file({ a: entry(0, 4, [2 ** 50, 2 ** 50]) }, 4), "needs");
  for (
    const offsets of [undefined, [0], [0, 4, 4], [-4, 0], [0.5, 4.5], [0, "4"], [0, 1e300], "04"]
  ) {
    assertRefused(
      file({ a: { dtype: "F32", shape: [1], data_offsets: offsets } }, 4),
      "data_offsets",
    );
  }
});

Deno.test("a header that would take up much more memory than it has bytes is refused before it is parsed", () => {
  const deep = '{"a":' + "[".repeat(2_000_000) + "]".repeat(2_000_000) + "}";
  assertRefused(file(deep), "nested more than 3 levels");
  assertRefused(file('{"a":{"b":{"c":{"d":1}}}}'), "nested more than 3 levels");
  const axes = new Array(1_000_000).fill(1);
  assertRefused(file({ a: { dtype: "U8", shape: axes, data_offsets: [0, 1] } }, 1), "1000000 axes");
});

Deno.test("messages quote the beginning of long names", () => {
  const name = "x".repeat(1_000_000);
  const error = assertThrows(() => decodeSafetensors(file({ [name]: 1 })), Error, "xxx...");
  assertEquals(error.message.length < 200, true);
});

Deno.test("types that tensors lack are read as what holds their numbers exactly, or refused", () => {
  const decode = (type: string, data: Uint8Array): unknown => {
    const head = file({ a: { dtype: type, shape: [2], data_offsets: [0, data.length] } });
    const bytes = new Uint8Array(head.length + data.length);
    bytes.set(head);
    bytes.set(data, head.length);
    return decodeSafetensors(bytes).tensors.a;
  };
  const raw = (array: BigInt64Array | Uint16Array): Uint8Array => new Uint8Array(array.buffer);
  assertEquals(decode("BF16", raw(new Uint16Array([0x3fc0, 0xc2f7]))), {
    dtype: "f32",
    shape: [2],
    data: new Float32Array([1.5, -123.5]),
  });
  assertEquals(decode("I64", raw(new BigInt64Array([-(2n ** 31n), 7n]))), {
    dtype: "i32",
    shape: [2],
    data: new Int32Array([-(2 ** 31), 7]),
  });
  assertEquals(decode("BOOL", new Uint8Array([1, 0])), {
    dtype: "u8",
    shape: [2],
    data: new Uint8Array([1, 0]),
  });
  assertThrows(
    () => decode("I64", raw(new BigInt64Array([0n, 2n ** 31n]))),
    Error,
    'tensor "a" has 2147483648, which i32 does not hold',
  );
  assertThrows(() => decode("BOOL", new Uint8Array([0, 2])), Error, "BOOL, but has 2");
});

Deno.test("types, shapes and entries that the format does not know are refused", () => {
  assertRefused(file({ a: entry(0, 8, [1], "F64") }, 8), 'type "F64"');
  assertRefused(file({ a: entry(0, 4, [1], "toString") }, 4), 'type "toString"');
  for (const shape of [undefined, 4, [-1], [1.5], ["1"], [null], { 0: 1 }]) {
    assertRefused(file({ a: { dtype: "F32", shape, data_offsets: [0, 4] } }, 4), "shape");
  }
  for (const value of [null, 3, "x", []]) assertRefused(file({ a: value }), "not a JSON object");
  assertRefused(
    file({ a: { ...entry(0, 4) as object, strides: [1] } }, 4),
    'unknown key "strides"',
  );
  assertRefused(file({ __metadata__: { a: 1 } }), "other than text");
  assertRefused(file({ __metadata__: [] }), "not a JSON object");
});
