#!/usr/bin/env python3
"""Writes features.json: metrics on sets of features, by PyTorch in float64.

    python3 tests/metrics/features.py && deno fmt tests/metrics/features.json

Needs torch and numpy. Distances come from torch.cdist and kernels from matrix products, so nothing is
summed as the functions under test sum it.
"""
import json
import pathlib

import numpy as np
import torch

torch.set_num_threads(1)


def kernel_distance(x, y):
    kernel = lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3
    xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
    m, n = len(x), len(y)
    within = (xx.sum() - xx.trace()) / (m * (m - 1)) + (yy.sum() - yy.trace()) / (n * (n - 1))
    return float(within - 2 * xy.mean())


def radius(x, k):
    """The distance to the k-th nearest other vector: the first one is the vector itself."""
    return torch.cdist(x, x).kthvalue(k + 1, dim=1).values


def manifold(real, fake, k, coverage_k):
    across = torch.cdist(real, fake)  # [real, fake]
    in_balls = across <= radius(real, coverage_k)[:, None]
    return {
        'precision': float((across <= radius(real, k)[:, None]).any(dim=0).double().mean()),
        'recall': float((across <= radius(fake, k)[None, :]).any(dim=1).double().mean()),
        'density': float(in_balls.double().sum() / (coverage_k * len(fake))),
        'coverage': float(in_balls.any(dim=1).double().mean()),
    }


def nearest(queries, vectors, p):
    distance, index = torch.cdist(queries, vectors, p=p).min(dim=1)
    return {'index': index.tolist(), 'distance': distance.tolist()}


def main():
    rng = np.random.default_rng(20)
    cases = []
    for reals, fakes, dimensions, scale, shift in [(40, 40, 6, 1, 0), (60, 31, 3, 1.5, 0.4), (25, 50, 8, 0.6, 1)]:
        draw = lambda n: rng.standard_normal((n, dimensions)).round(3)
        real, fake = draw(reals), (draw(fakes) * scale + shift).round(3)
        x, y = torch.from_numpy(real), torch.from_numpy(fake)
        equal = min(reals, fakes)
        cases.append({
            'dimensions': dimensions,
            'real': real.flatten().tolist(),
            'fake': fake.flatten().tolist(),
            # One block has as many of each as the smaller set, so it is given for equal sets alone.
            'kernelDistance': kernel_distance(x, y) if reals == fakes else None,
            'manifold': [{'neighbours': k, 'coverageNeighbours': c, **manifold(x, y, k, c)}
                         for k, c in [(3, 5), (1, 2), (5, 9)]],
            'l1': nearest(y, x, 1),
            'l2': nearest(y, x, 2),
        })
    path = pathlib.Path(__file__).parent / 'features.json'
    path.write_text(json.dumps(cases) + '\n')
    print(f'{len(cases)} cases in {path.name}')


main()
