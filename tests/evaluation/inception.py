#!/usr/bin/env python3
"""Writes inception.json: features of Inception v3 by PyTorch, of weights and pictures made by a formula.

    python3 tests/evaluation/inception.py && deno fmt tests/evaluation/inception.json

Needs torch and numpy. With torchvision installed, its inception_v3 is compared to the network here. The
formula is that of inception_weights.ts; batch norm is PyTorch's own and nothing is folded.
"""
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_grad_enabled(False)

# Every 8th feature is stored, and of blocks every 61st number.
EVERY, EVERY_OF_BLOCK = 8, 61


def hashed(key, count):
    seed = 0x811c9dc5
    for character in key:
        seed = ((seed ^ ord(character)) * 0x01000193) & 0xffffffff
    h = np.arange(count, dtype=np.uint64).astype(np.uint32) + np.uint32(seed)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85ebca6b)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xc2b2ae35)
    return (h ^ (h >> np.uint32(16))).astype(np.float64) / 2**32


def uniform(key, shape, low, high):
    numbers = low + (high - low) * hashed(key, math.prod(shape))
    return torch.from_numpy(numbers.astype(np.float32)).reshape(shape)


class Inception:
    def __init__(self, published):
        self.published = published
        self.state = {}

    def conv(self, x, name, channels, kernel, stride=1, padding=0):
        height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        shape = (channels, x.shape[1], height, width)
        if f'{name}.conv.weight' not in self.state:
            bound = math.sqrt(6 / math.prod(shape[1:]))
            self.state[f'{name}.conv.weight'] = uniform(f'{name}.conv.weight', shape, -bound, bound)
            for key, low in [('weight', 0.5), ('bias', -0.5), ('running_mean', -0.5), ('running_var', 0.5)]:
                self.state[f'{name}.bn.{key}'] = uniform(f'{name}.bn.{key}', (channels,), low, low + 1)
        get = lambda key: self.state[f'{name}.{key}']
        y = F.conv2d(x, get('conv.weight'), stride=stride, padding=padding)
        y = F.batch_norm(y, get('bn.running_mean'), get('bn.running_var'), get('bn.weight'), get('bn.bias'), eps=0.001)
        return F.relu(y)

    def average(self, x):
        return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=not self.published)

    def block5(self, x, name, pooled):
        c = lambda x, branch, *rest, **more: self.conv(x, f'{name}.{branch}', *rest, **more)
        a = c(x, 'branch1x1', 64, 1)
        b = c(c(x, 'branch5x5_1', 48, 1), 'branch5x5_2', 64, 5, padding=2)
        d = c(c(x, 'branch3x3dbl_1', 64, 1), 'branch3x3dbl_2', 96, 3, padding=1)
        d = c(d, 'branch3x3dbl_3', 96, 3, padding=1)
        return torch.cat([a, b, d, c(self.average(x), 'branch_pool', pooled, 1)], 1)

    def block6a(self, x):
        c = lambda x, branch, *rest, **more: self.conv(x, f'Mixed_6a.{branch}', *rest, **more)
        a = c(x, 'branch3x3', 384, 3, stride=2)
        b = c(c(x, 'branch3x3dbl_1', 64, 1), 'branch3x3dbl_2', 96, 3, padding=1)
        b = c(b, 'branch3x3dbl_3', 96, 3, stride=2)
        return torch.cat([a, b, F.max_pool2d(x, 3, stride=2)], 1)

    def block6(self, x, name, narrow):
        c = lambda x, branch, *rest, **more: self.conv(x, f'{name}.{branch}', *rest, **more)
        row, column = {'kernel': (1, 7), 'padding': (0, 3)}, {'kernel': (7, 1), 'padding': (3, 0)}
        a = c(x, 'branch1x1', 192, 1)
        b = c(c(x, 'branch7x7_1', narrow, 1), 'branch7x7_2', narrow, **row)
        b = c(b, 'branch7x7_3', 192, **column)
        d = c(c(x, 'branch7x7dbl_1', narrow, 1), 'branch7x7dbl_2', narrow, **column)
        d = c(c(d, 'branch7x7dbl_3', narrow, **row), 'branch7x7dbl_4', narrow, **column)
        d = c(d, 'branch7x7dbl_5', 192, **row)
        return torch.cat([a, b, d, c(self.average(x), 'branch_pool', 192, 1)], 1)

    def block7a(self, x):
        c = lambda x, branch, *rest, **more: self.conv(x, f'Mixed_7a.{branch}', *rest, **more)
        a = c(c(x, 'branch3x3_1', 192, 1), 'branch3x3_2', 320, 3, stride=2)
        b = c(c(x, 'branch7x7x3_1', 192, 1), 'branch7x7x3_2', 192, (1, 7), padding=(0, 3))
        b = c(b, 'branch7x7x3_3', 192, (7, 1), padding=(3, 0))
        b = c(b, 'branch7x7x3_4', 192, 3, stride=2)
        return torch.cat([a, b, F.max_pool2d(x, 3, stride=2)], 1)

    def block7(self, x, name):
        c = lambda x, branch, *rest, **more: self.conv(x, f'{name}.{branch}', *rest, **more)
        both = lambda x, branch: [c(x, f'{branch}a', 384, (1, 3), padding=(0, 1)),
                                  c(x, f'{branch}b', 384, (3, 1), padding=(1, 0))]
        a = c(x, 'branch1x1', 320, 1)
        b = both(c(x, 'branch3x3_1', 384, 1), 'branch3x3_2')
        d = both(c(c(x, 'branch3x3dbl_1', 448, 1), 'branch3x3dbl_2', 384, 3, padding=1), 'branch3x3dbl_3')
        largest = self.published and name == 'Mixed_7c'
        pooled = F.max_pool2d(x, 3, stride=1, padding=1) if largest else self.average(x)
        return torch.cat([a, *b, *d, c(pooled, 'branch_pool', 192, 1)], 1)

    def __call__(self, x):
        x = self.conv(x, 'Conv2d_1a_3x3', 32, 3, stride=2)
        x = self.conv(x, 'Conv2d_2a_3x3', 32, 3)
        x = self.conv(x, 'Conv2d_2b_3x3', 64, 3, padding=1)
        x = F.max_pool2d(x, 3, stride=2)
        x = self.conv(x, 'Conv2d_3b_1x1', 80, 1)
        x = self.conv(x, 'Conv2d_4a_3x3', 192, 3)
        x = F.max_pool2d(x, 3, stride=2)
        for name, pooled in [('b', 32), ('c', 64), ('d', 64)]:
            x = self.block5(x, f'Mixed_5{name}', pooled)
        x = self.block6a(x)
        for name, narrow in [('b', 128), ('c', 160), ('d', 160), ('e', 192)]:
            x = self.block6(x, f'Mixed_6{name}', narrow)
        x = self.block7a(x)
        x = self.block7(self.block7(x, 'Mixed_7b'), 'Mixed_7c')
        return x.mean((2, 3))


def pictures(count, size):
    pixels = np.floor(256 * hashed(f'{size} pixels', count * 3 * size**2))
    return torch.from_numpy(pixels.astype(np.float32)).reshape(count, 3, size, size) / 255


def compare_to_torchvision(network, x):
    try:
        from torchvision.models import inception_v3
    except ImportError:
        return
    theirs = inception_v3(weights=None, init_weights=False, transform_input=False).eval()
    result = theirs.load_state_dict(network.state, strict=False)
    assert not result.unexpected_keys, result.unexpected_keys
    assert all(key.startswith(('fc.', 'AuxLogits.')) or key.endswith('num_batches_tracked')
               for key in result.missing_keys), result.missing_keys
    theirs.fc = torch.nn.Identity()
    print('torchvision differs by', float((theirs(x) - network(x)).abs().max()))


def block_cases(network, variant):
    """The first and the last block, which have all that is peculiar, on small pictures."""
    cases = []
    for name, channels, side in [('Mixed_5b', 192, 5), ('Mixed_7c', 2048, 3)]:
        shape = (1, channels, side, side)
        x = uniform(f'before {name}', shape, 0, 1)
        y = network.block5(x, name, 32) if name == 'Mixed_5b' else network.block7(x, name)
        cases.append({'variant': variant, 'name': name, 'shape': shape,
                      'output': [round(value, 6) for value in y.flatten()[::EVERY_OF_BLOCK].tolist()]})
    return cases


def resize_cases():
    cases = []
    for shape, size in [((2, 3, 4, 5), (9, 7)), ((1, 1, 7, 6), (3, 4)), ((1, 2, 1, 2), (4, 6))]:
        x = uniform(f'resize {shape[2]}', shape, -1, 1)
        y = F.interpolate(x, size, mode='bilinear', align_corners=False)
        cases.append({'shape': shape, 'size': size,
                      'output': [round(value, 6) for value in y.flatten().tolist()]})
    return cases


def main():
    cases, blocks = [], []
    for variant in ['2015-12-05', 'torchvision']:
        network = Inception(variant == '2015-12-05')
        blocks += block_cases(network, variant)
        # As the network takes them, 107 being the least with more than one pixel in the last block; and resized.
        for size, side, count in [(107, 107, 2), (20, 299, 1)]:
            x = F.interpolate(pictures(count, size), (side, side), mode='bilinear', align_corners=False)
            features = network(2 * x - 1)
            if variant == 'torchvision':
                compare_to_torchvision(network, 2 * x - 1)
            cases.append({
                'variant': variant, 'size': size, 'side': side, 'count': count,
                'features': [[round(value, 6) for value in row[::EVERY].tolist()] for row in features],
            })
            print(variant, side, 'mean', float(features.mean()), 'spread', float(features.std()))
    path = pathlib.Path(__file__).parent / 'inception.json'
    golden = {'every': EVERY, 'everyOfBlock': EVERY_OF_BLOCK, 'resize': resize_cases(), 'blocks': blocks, 'cases': cases}
    path.write_text(json.dumps(golden) + '\n')


main()
