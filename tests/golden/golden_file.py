"""Writes files of golden numbers: safetensors of float32 and int32 numpy arrays."""

import json
import struct

import numpy as np


def write(path, tensors, metadata):
    header, offset = {'__metadata__': metadata}, 0
    for name, array in tensors.items():
        dtype = {'float32': 'F32', 'int32': 'I32'}[array.dtype.name]
        end = offset + array.nbytes
        header[name] = {'dtype': dtype, 'shape': list(array.shape), 'data_offsets': [offset, end]}
        offset = end
    head = json.dumps(header).encode()
    head += b' ' * (-len(head) % 8)
    body = b''.join(np.ascontiguousarray(array).tobytes() for array in tensors.values())
    path.write_bytes(struct.pack('<Q', len(head)) + head + body)
