#!/usr/bin/env python3
"""Writes data/plugins.safetensors: what the built-in plugins compute, by PyTorch in float64.

    python3 tests/golden/plugins.py

Needs torch and numpy. README.md beside this file says what each name in the file means.
"""
import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from golden_file import write

torch.set_num_threads(1)
SEED = 20


def shifted(picture, down, right):
    """One picture [C, H, W], moved: padded on all sides, and cut out."""
    _, h, w = picture.shape
    padded = F.pad(picture, (w, w, h, h))
    return padded[:, h - down:2 * h - down, w - right:2 * w - right]


def color(i, _):
    x = i['images'] + (i['brightness'] - 0.5)
    gray = x.mean(dim=1, keepdim=True)
    x = (x - gray) * (i['saturation'] * 2) + gray
    middle = x.mean(dim=[1, 2, 3], keepdim=True)
    return (x - middle) * (i['contrast'] + 0.5) + middle, {}


def translation(i, _):
    down, right = (i[k].flatten().tolist() for k in ('down', 'right'))
    return torch.stack([shifted(*each) for each in zip(i['images'], down, right)]), {}


def cutout(i, _):
    """By the places that the authors' code writes zeros to, kept inside the picture."""
    n, _, h, w = i['images'].shape
    mask = torch.ones(n, 1, h, w, dtype=torch.float64)
    for k in range(n):
        sides = [int(length * 0.5 + 0.5) for length in (h, w)]
        for a in range(sides[0]):
            for b in range(sides[1]):
                y = int(i['row'].flatten()[k]) - sides[0] // 2 + a
                x = int(i['column'].flatten()[k]) - sides[1] // 2 + b
                mask[k, 0, min(max(y, 0), h - 1), min(max(x, 0), w - 1)] = 0
    return i['images'] * mask, {}


def in_place(i, matrix, size=None):
    """Pictures by matrices of pixels about the middle: PyTorch's grid_sample."""
    h, w = i.shape[2:]
    rows, columns = size or (h, w)
    y, x = torch.meshgrid(torch.arange(rows).double() - (rows - 1) / 2,
                          torch.arange(columns).double() - (columns - 1) / 2, indexing='ij')
    at = torch.einsum('nij,jhw->nhwi', matrix, torch.stack([x, y, torch.ones_like(x)]))
    grid = at * 2 / torch.tensor([w, h]).double()
    return F.grid_sample(i, grid, padding_mode='reflection', align_corners=False)


def warp_affine(i, attrs):
    return in_place(i['images'], i['matrix'], attrs['size']), {}


# sym6, from tables of Daubechies' least asymmetric wavelets.
SYM6 = torch.tensor([
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148]).double()


def along(x, dim, change):
    """A change of rows [N, 1, length], for every row of x along an axis."""
    moved = x.movedim(dim, -1)
    changed = change(moved.reshape(-1, 1, moved.shape[-1]))
    return changed.reshape(*moved.shape[:-1], -1).movedim(-1, dim)


def ada_warp(i, _):
    """Doubled by the filter, sampled with a margin of six, halved by the filter's transpose."""
    def doubled(rows):
        length = rows.shape[-1]
        mirrored = torch.cat([rows[..., :6].flip(-1), rows, rows[..., -6:].flip(-1)], -1)
        filtered = F.conv_transpose1d(mirrored, (math.sqrt(2) * SYM6).reshape(1, 1, -1), stride=2)
        return filtered[..., 17:17 + 2 * length]

    def halved(rows):
        return F.conv1d(rows[..., 1:], (SYM6 / math.sqrt(2)).reshape(1, 1, -1), stride=2)

    x, matrix = i['images'], i['matrix'].clone()
    h, w = x.shape[2:]
    matrix[:, :, 2] *= 2
    fine = along(along(x, 2, doubled), 3, doubled)
    moved = in_place(fine, matrix, (2 * h + 12, 2 * w + 12))
    return along(along(moved, 2, halved), 3, halved), {}


def ada_matrix(i, attrs):
    """The inverse of what is done to pictures, change after change."""
    n = len(i['scale'])
    flat = {k: v.reshape(n, -1) for k, v in i.items()}
    total = torch.eye(3).double().repeat(n, 1, 1)

    def then(matrices):
        nonlocal total
        total = torch.tensor(matrices).double() @ total

    def turn(angles):
        then([[[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]] for a in angles])

    def scale(pairs):
        then([[[x, 0, 0], [0, y, 0], [0, 0, 1]] for x, y in pairs])

    def move(pairs):
        then([[[1, 0, x], [0, 1, y], [0, 0, 1]] for x, y in pairs])

    numbers = {k: [float(x[0]) for x in v] for k, v in flat.items()}
    scale([(1 - 2 * x, 1) for x in numbers['flip']])
    turn([-math.pi / 2 * x for x in numbers['turn']])
    move(flat['translation'].tolist())
    scale([(x, x) for x in numbers['scale']])
    turn([-x for x in numbers['before']])
    scale([(x, 1 / x) for x in numbers['stretch']])
    turn([-x for x in numbers['after']])
    move(flat['shift'].tolist())
    return torch.linalg.inv(total)[:, :2], {}


def ada_color(i, _):
    """One matrix after the other, of red, green, blue, and 1."""
    total = []
    axis = torch.ones(3).double() / math.sqrt(3)
    grey = torch.outer(axis, axis)
    cross = torch.tensor([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]).double() / math.sqrt(3)
    eye = torch.eye(3).double()
    for k in range(len(i['images'])):
        b, c, l, h, s = (i[name][k].flatten() for name in ('brightness', 'contrast', 'inversion', 'hue', 'saturation'))
        linear = c * eye
        linear = (eye - 2 * grey * l) @ linear
        linear = (h.cos() * eye + (1 - h.cos()) * grey + h.sin() * cross) @ linear
        linear = (grey + (eye - grey) * s) @ linear
        total.append(torch.einsum('ij,jhw->ihw', linear, i['images'][k] + b.reshape(1, 1, 1)))
    return torch.stack(total), {}


def patch_discriminator(i, attrs):
    x, extra = i['images'], {}
    for _ in range(attrs['pooled']):
        x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
    for k in range(attrs['layers']):
        x = F.conv2d(x, i[f'convs.{k}.weight'], i.get(f'convs.{k}.bias'), stride=2, padding=1)
        if k > 0 and attrs['norm'] == 'instance':
            x = F.instance_norm(x)
        x = extra[f'feature{k}'] = F.leaky_relu(x, 0.2)
    return F.conv2d(x, i['out.weight'], i['out.bias'], padding=1), extra


def match_features(i, attrs):
    total = 0.0
    for k in range(attrs['layers']):
        apart = i[f'real{k}'].detach().mean(0) - i[f'fake{k}'].mean(0)
        total = total + apart.abs().mean()
    return total, {}


OPS = {f.__name__: f for f in (color, translation, cutout, warp_affine, ada_warp, ada_matrix, ada_color,
                               patch_discriminator, match_features)}


def cases(rng):
    """(name, op, attributes, inputs, names that derivatives are taken for, second order too?)"""
    normal = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    uniform = lambda n: rng.uniform(0, 1, (n, 1, 1, 1)).astype(np.float32)
    whole = lambda low, high, n: rng.integers(low, high, (n, 1, 1, 1)).astype(np.int32)

    for name, n, h, w in (('even', 4, 8, 16), ('odd', 3, 9, 13)):
        images = rng.uniform(-1, 1, (n, 3, h, w)).astype(np.float32)
        draws = {k: uniform(n) for k in ('brightness', 'saturation', 'contrast')}
        # Brightness is added: derivatives of its derivative vanish, up to rounding.
        diff, second = (['images', *draws], False) if name == 'even' else (
            ['images', 'saturation', 'contrast'], True)
        yield f'color_{name}', 'color', {}, {'images': images, **draws}, diff, second
        most = [math.floor(length / 8 + 0.5) for length in (h, w)]
        draws = {k: whole(-m, m + 1, n) for k, m in zip(('down', 'right'), most)}
        draws['down'][0], draws['right'][1] = most[0], -most[1]
        yield f'translation_{name}', 'translation', {}, {'images': images, **draws}, ['images'], False
        sides = [math.floor(length / 2 + 0.5) for length in (h, w)]
        ends = [length + 1 - side % 2 for length, side in zip((h, w), sides)]
        draws = {k: whole(0, end, n) for k, end in zip(('row', 'column'), ends)}
        # The outermost places.
        draws['row'][0], draws['column'][0] = 0, ends[1] - 1
        draws['row'][1], draws['column'][1] = ends[0] - 1, 0
        yield f'cutout_{name}', 'cutout', {}, {'images': images, **draws}, ['images'], False

    for name, pooled, norm, size in (('half', 1, 'instance', 16), ('quarter', 2, 'none', 18)):
        attrs = {'pooled': pooled, 'layers': 2, 'norm': norm, 'channels': 3}
        inputs = {
            'images': normal(2, 3, size, size),
            'convs.0.weight': normal(3, 3, 4, 4) * np.float32(0.3),
            'convs.0.bias': normal(3),
            'convs.1.weight': normal(6, 3, 4, 4) * np.float32(0.3),
            **({} if norm == 'instance' else {'convs.1.bias': normal(6)}),
            'out.weight': normal(1, 6, 3, 3),
            'out.bias': normal(1),
        }
        yield f'patches_{name}', 'patch_discriminator', attrs, inputs, list(inputs), True

    shapes = [(4, 3, 5, 6), (4, 7)]
    inputs = {f'{k}{j}': normal(*shape) for k in ('real', 'fake') for j, shape in enumerate(shapes)}
    fakes = [f'fake{j}' for j in range(len(shapes))]
    yield 'match_features', 'match_features', {'layers': len(shapes)}, inputs, fakes, False
    yield from ada_cases(rng)


def ada_cases(rng):
    """All linear in the pictures; PyTorch has no second derivative of grid_sample."""
    normal = lambda n, deviation, k=1: (rng.standard_normal((n, 1, 1, k)) * deviation).astype(np.float32)
    angle = lambda n: rng.uniform(-math.pi, math.pi, (n, 1, 1, 1)).astype(np.float32)
    whole = lambda high, n: rng.integers(0, high, (n, 1, 1, 1)).astype(np.float32)
    factor = lambda n, deviation: np.exp2(normal(n, deviation))

    def images(n, h, w):
        return rng.uniform(-1, 1, (n, 3, h, w)).astype(np.float32)

    def matrices(n, side):
        """Turned, scaled, sheared and mirrored, up to beyond the mirror image of the mirror image."""
        linear = np.eye(2) + rng.uniform(-0.9, 0.9, (n, 2, 2))
        linear[0] = [[0.6, -0.8], [0.8, 0.6]]
        linear[1] = [[0, 1], [-1, 0]]
        return np.concatenate([linear, rng.uniform(-side, side, (n, 2, 1))], 2).astype(np.float32)

    for name, h, w, size in (('odd', 7, 9, None), ('larger', 6, 5, (11, 8)), ('smaller', 8, 8, (3, 4))):
        arrays = {'images': images(6, h, w), 'matrix': matrices(6, 1.5 * h)}
        yield f'warp_affine_{name}', 'warp_affine', {'size': size}, arrays, ['images'], False
    n = 6
    draws = {'flip': whole(2, n), 'turn': whole(4, n) - 2, 'translation': np.round(normal(n, 2, 2)),
             'scale': factor(n, 0.2), 'before': angle(n), 'stretch': factor(n, 0.2), 'after': angle(n),
             'shift': normal(n, 1.3, 2)}
    draws['flip'][:2], draws['turn'][:4, 0, 0, 0] = 1, [-2, -1, 0, 1]
    yield 'ada_matrix', 'ada_matrix', {}, draws, [], False
    for name, h, w in (('even', 8, 8), ('odd', 7, 10)):
        arrays = {'images': images(4, h, w), 'matrix': matrices(4, h / 2)}
        yield f'ada_warp_{name}', 'ada_warp', {}, arrays, ['images'], False
    colors = {'brightness': normal(4, 0.2), 'contrast': factor(4, 0.5), 'inversion': whole(2, 4),
              'hue': angle(4), 'saturation': factor(4, 1)}
    colors['inversion'][:2, 0, 0, 0] = [0, 1]
    yield 'ada_color', 'ada_color', {}, {'images': images(4, 3, 5), **colors}, ['images'], False


def compute(op, attrs, arrays, diff, second, rng):
    """The tensors of a case, and the names of derivatives that vanish."""
    inputs = {}
    for name, array in arrays.items():
        t = torch.from_numpy(array)
        inputs[name] = t.double().requires_grad_(name in diff) if t.is_floating_point() else t
    out, extra = OPS[op](inputs, attrs)
    targets = [inputs[name] for name in diff]
    random = lambda t: torch.from_numpy(
        np.asarray(rng.standard_normal(t.shape), dtype=np.float32)).double()
    if not diff:
        return {**{f'in/{k}': v for k, v in arrays.items()}, 'out': out.numpy().astype(np.float32)}, {}
    cotangent = random(out).requires_grad_()
    tensors = {'out': out, 'cotangent/out': cotangent}
    tensors.update({f'extra/{k}': v for k, v in extra.items()})
    zeros = {}

    def keep(kind, gradients):
        vanishing = []
        for name, g in zip(diff, gradients):
            if g is None or float(g.abs().max()) < 1e-12:
                vanishing.append(name)
            else:
                tensors[f'{kind}/{name}'] = g
        if vanishing:
            zeros[f'{kind}_zero'] = vanishing

    gradients = torch.autograd.grad(out, targets, cotangent, create_graph=True, allow_unused=True)
    keep('grad', gradients)
    if second:
        s = 0.0
        for name, g in zip(diff, gradients):
            tensors[f'v/{name}'] = random(g)
            s = s + (g * tensors[f'v/{name}']).sum()
        *grad2, jvp = torch.autograd.grad(s, [*targets, cotangent], allow_unused=True)
        keep('grad2', grad2)
        tensors['jvp/out'] = jvp
    numpy = {k: v.detach().numpy().astype(np.float32) for k, v in tensors.items()}
    return {**{f'in/{k}': v for k, v in arrays.items()}, **numpy}, zeros


def main():
    rng = np.random.default_rng(SEED)
    tensors, listed = {}, []
    for name, op, attrs, arrays, diff, second in cases(rng):
        made, zeros = compute(op, attrs, arrays, diff, second, rng)
        tensors.update({f'{name}/{key}': value for key, value in made.items()})
        listed.append({'case': name, 'op': op, 'attrs': attrs, 'inputs': list(arrays),
                       'diff': diff, 'second_order': second, **zeros})
    path = pathlib.Path(__file__).parent / 'data' / 'plugins.safetensors'
    write(path, tensors, {'cases': json.dumps(listed)})
    print(f'{len(listed)} cases in {path.name}')


main()
