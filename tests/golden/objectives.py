#!/usr/bin/env python3
"""Writes data/objectives.safetensors: twelve steps of a small ACGAN by each objective, by PyTorch in float64.

    python3 tests/golden/objectives.py

Needs torch and numpy. The case `shared` has what all of them begin with: weights, pictures, labels, noise. Each
other case is an objective: `in/` has what it has besides (heads, networks, random numbers of its penalty),
`extra/terms` the loss terms of each step `[steps, terms]`, by the names in its attribute `terms`, NaN where a term
has no part in a step, and `extra/final.*` every weight and running statistic after the last step.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from golden_file import write

torch.set_num_threads(1)
SEED = 30
STEPS, BATCH, CLASSES, LATENT, SIZE, BASE = 12, 5, 3, 6, 8, 2
G_CHANNELS, D_CHANNELS = (8, 6, 4), (6, 8)
FEATURES = D_CHANNELS[-1] * (SIZE // 2 ** len(D_CHANNELS)) ** 2
LR, BETAS, EPS = 2e-4, (0.5, 0.999), 1e-8


# Networks ---------------------------------------------------------------------------------------------------

def norm(p, name, x):
    return F.batch_norm(x, p[f'{name}.running_mean'], p[f'{name}.running_var'], p[f'{name}.weight'],
                        p[f'{name}.bias'], training=True, momentum=0.1, eps=1e-5)


def draw(g, z, c):
    x = F.linear(torch.cat([z, F.one_hot(c, CLASSES).double()], 1), g['fc.weight'], g['fc.bias'])
    x = F.relu(norm(g, 'bn0', x.reshape(-1, G_CHANNELS[0], BASE, BASE)))
    for k in range(1, len(G_CHANNELS)):
        x = F.pixel_shuffle(F.conv2d(x, g[f'conv{k}.weight'], padding=1), 2)
        x = F.relu(norm(g, f'bn{k}', x))
    return torch.tanh(F.conv2d(x, g['out.weight'], g['out.bias'], padding=1))


class Judged:
    """Logits of real or fake, the head's outputs, and features, of pictures x of classes y."""

    def __init__(self, objective, p, x, y):
        d = p['D']
        h = F.leaky_relu(F.conv2d(x, d['conv1.weight'], d['conv1.bias'], stride=2, padding=1), 0.2)
        for k in range(2, len(D_CHANNELS) + 1):
            h = F.conv2d(h, d[f'conv{k}.weight'], stride=2, padding=1)
            h = F.leaky_relu(norm(d, f'bn{k}', h), 0.2)
        self.maps, self.features = h, h.flatten(1)
        self.head = None
        if 'cls.kind.weight' in d:
            self.head = F.linear(self.features, d['cls.kind.weight'], d['cls.kind.bias'])
        self.images, self.y = x, y
        self.source = F.linear(self.features, d['src.weight'], d['src.bias']).flatten()
        self.source = self.source + objective.logit(p, self)


# Objectives -------------------------------------------------------------------------------------------------

class Objective:
    """AC-GAN with the non-saturating loss; others change parts of it."""
    plugins = ['classifier']
    options = {}
    missing = False
    head = CLASSES
    # Steps of which `d_more` has a part in the first alone, with as many times its weight.
    every = 1

    def real(self, s):
        return F.softplus(-s).mean()

    def fake(self, s):
        return F.softplus(s).mean()

    def generator(self, s):
        return F.softplus(-s).mean()

    def logit(self, p, judged):
        return 0.0

    def d_class(self, p, real, fake):
        return {'d.class.kind.real': (1, known_ce(real.head, real.y)),
                'd.class.kind.fake': (1, F.cross_entropy(fake.head, fake.y))}

    def g_class(self, p, fake):
        return {'g.class.kind': (1, F.cross_entropy(fake.head, fake.y))}

    def d_more(self, p, real, fake, draws):
        return {}

    def draws(self, rng):
        return {}

    def networks(self, rng):
        return {}


def known_ce(head, y):
    known = y >= 0
    return F.cross_entropy(head[known], y[known]) if known.any() else head.sum() * 0


def slopes(objective, p, at, y):
    x = at.detach().requires_grad_()
    source = Judged(objective, p, x, y).source
    return torch.autograd.grad(source.sum(), x, create_graph=True)[0].flatten(1)


class NonSaturating(Objective):
    pass


class LabelSmoothing(Objective):
    plugins = ['classifier', 'label-smoothing']
    options = {'label-smoothing': {'target': 0.8}}

    def real(self, s):
        return F.binary_cross_entropy_with_logits(s, torch.full_like(s, 0.8))


class Hinge(Objective):
    plugins = ['classifier', 'hinge']

    def real(self, s):
        return F.relu(1 - s).mean()

    def fake(self, s):
        return F.relu(1 + s).mean()

    def generator(self, s):
        return -s.mean()


class LeastSquares(Objective):
    plugins = ['classifier', 'least-squares']

    def real(self, s):
        return ((s - 1) ** 2).mean()

    def fake(self, s):
        return (s ** 2).mean()

    def generator(self, s):
        return ((s - 1) ** 2).mean()


class Wasserstein(Objective):
    plugins = ['classifier', 'wasserstein']

    def real(self, s):
        return -s.mean()

    def fake(self, s):
        return s.mean()

    def generator(self, s):
        return -s.mean()

    def draws(self, rng):
        return {'u': rng.uniform(0, 1, (STEPS, BATCH, 1, 1, 1))}

    def d_more(self, p, real, fake, draws):
        at = draws['u'] * real.images + (1 - draws['u']) * fake.images
        length = slopes(self, p, at, real.y).norm(dim=1)
        return {'d.wasserstein.penalty': (10, ((length - 1) ** 2).mean())}


class R1(Objective):
    plugins = ['classifier', 'r1']

    def d_more(self, p, real, fake, draws):
        return {'d.r1.penalty': (5, (slopes(self, p, real.images, real.y) ** 2).sum(1).mean())}


class LazyR1(R1):
    options = {'r1': {'every': 4}}
    every = 4


class Dragan(Objective):
    plugins = ['classifier', 'dragan']

    def draws(self, rng):
        return {'u': rng.uniform(0, 1, (STEPS, BATCH, 3, SIZE, SIZE))}

    def d_more(self, p, real, fake, draws):
        at = real.images + 0.5 * real.images.std() * draws['u']
        return {'d.dragan.penalty': (10, ((slopes(self, p, at, real.y).norm(dim=1) - 1) ** 2).mean())}


class Projection(Objective):
    plugins = ['projection']
    head = 0
    missing = True

    def networks(self, rng):
        return {'plugin.projection.kind.embedding.weight': rng.normal(0, 0.5, (CLASSES, D_CHANNELS[-1]))}

    def logit(self, p, judged):
        table = p['plugin']['projection.kind.embedding.weight']
        # A row of zeros for the pictures without a label.
        vectors = torch.cat([table, torch.zeros_like(table[:1])])[judged.y]
        return (vectors * judged.maps.sum((2, 3))).sum(1)

    def d_class(self, p, real, fake):
        return {}

    def g_class(self, p, fake):
        return {}


class D2dCe(Objective):
    plugins = ['d2d-ce']
    options = {'d2d-ce': {'dimensions': 7, 'margin': 0.9, 'temperature': 0.4}}
    head = 7

    def networks(self, rng):
        return {'plugin.d2d-ce.kind.proxies.weight': rng.normal(0, 1, (CLASSES, self.head))}

    def ce(self, p, judged):
        f = F.normalize(judged.head, dim=1)
        v = F.normalize(p['plugin']['d2d-ce.kind.proxies.weight'], dim=1)
        total, count = 0.0, 0
        for i, y in enumerate(judged.y.tolist()):
            if y < 0:
                continue
            pull = torch.exp(torch.clamp(f[i] @ v[y] - 0.9, max=0) / 0.4)
            push = sum(torch.exp(torch.clamp(f[i] @ f[j] - 0.1, min=0) / 0.4)
                       for j, other in enumerate(judged.y.tolist()) if other not in (y, -1))
            total, count = total - torch.log(pull / (pull + push)), count + 1
        return total / count if count else judged.head.sum() * 0

    def d_class(self, p, real, fake):
        return {'d.class.kind.real': (0.5, self.ce(p, real))}

    def g_class(self, p, fake):
        return {'g.class.kind': (0.5, self.ce(p, fake))}


class D2dCeSomeLabels(D2dCe):
    missing = True


class Tac(Objective):
    plugins = ['tac']
    head = 2 * CLASSES

    def d_class(self, p, real, fake):
        return {'d.class.kind.real': (1, F.cross_entropy(real.head[:, :CLASSES], real.y)),
                'd.class.kind.fake': (1, self.of_fakes(fake))}

    def of_fakes(self, fake):
        return F.cross_entropy(fake.head[:, CLASSES:], fake.y)

    def g_class(self, p, fake):
        told = F.cross_entropy(fake.head[:, :CLASSES], fake.y)
        return {'g.class.kind': (1, told - F.cross_entropy(fake.head[:, CLASSES:], fake.y))}


class TacBoth(Tac):
    """As in the paper's formula, where the classifier learns from fakes, too."""
    options = {'tac': {'classOn': 'both'}}

    def of_fakes(self, fake):
        return super().of_fakes(fake) + F.cross_entropy(fake.head[:, :CLASSES], fake.y)


class Adc(Objective):
    plugins = ['adc']
    head = 2 * CLASSES

    def d_class(self, p, real, fake):
        return {'d.class.kind.real': (1, F.cross_entropy(real.head, real.y)),
                'd.class.kind.fake': (1, F.cross_entropy(fake.head, fake.y + CLASSES))}

    def g_class(self, p, fake):
        as_real = F.cross_entropy(fake.head, fake.y)
        return {'g.class.kind': (1, as_real - F.cross_entropy(fake.head, fake.y + CLASSES))}


class SomeLabels(Objective):
    missing = True


class Sgan(Objective):
    plugins = ['sgan']
    missing = True

    def logit(self, p, judged):
        return judged.head.logsumexp(1)


class ProjectionHingeR1(Projection):
    """What is used together: the penalty is of what the discriminator says of a picture for its class."""
    plugins = ['projection', 'hinge', 'r1']
    options = {'r1': {'gamma': 2}}
    missing = False
    real, fake, generator = Hinge.real, Hinge.fake, Hinge.generator

    def d_more(self, p, real, fake, draws):
        return {'d.r1.penalty': (1, (slopes(self, p, real.images, real.y) ** 2).sum(1).mean())}


OBJECTIVES = {
    'non-saturating': NonSaturating, 'label-smoothing': LabelSmoothing, 'hinge': Hinge,
    'least-squares': LeastSquares, 'wasserstein': Wasserstein, 'r1': R1, 'dragan': Dragan,
    'projection': Projection, 'd2d-ce': D2dCe, 'd2d-ce, some labels': D2dCeSomeLabels, 'tac': Tac,
    'adc': Adc, 'some labels': SomeLabels, 'sgan': Sgan, 'projection, hinge, r1': ProjectionHingeR1,
    'r1, every 4': LazyR1, 'tac, both': TacBoth,
}


# Training ---------------------------------------------------------------------------------------------------

def train(objective, shared, own):
    """Twelve steps. Returns the terms by name, one a step, and the networks as they are then."""
    p = {'G': {}, 'D': {}, 'plugin': {}}
    for name, array in {**shared, **own}.items():
        network, _, key = name.partition('.')
        if network in p:
            t = torch.from_numpy(array).double()
            p[network][key] = t.requires_grad_('running' not in key)
    learners = lambda *networks: [t for n in networks for t in p[n].values() if t.requires_grad]
    adam = lambda *networks: torch.optim.Adam(learners(*networks), lr=LR, betas=BETAS, eps=EPS)
    adam_d, adam_g = adam('D', 'plugin'), adam('G')
    terms = []
    y = shared['y_missing' if objective.missing else 'y']
    for t in range(STEPS):
        at = lambda name: torch.from_numpy(shared[name][t]).double()
        classes = lambda name: torch.from_numpy(shared[name][t]).long()
        draws = {k: torch.from_numpy(own[k][t]).double() for k in ('u',) if k in own}

        fake_images = draw(p['G'], at('z_d'), classes('c_d')).detach()
        real = Judged(objective, p, at('real'), torch.from_numpy(y[t]).long())
        fake = Judged(objective, p, fake_images, classes('c_d'))
        more = objective.d_more(p, real, fake, draws) if t % objective.every == 0 else {}
        d = {'d.adv_real': (1, objective.real(real.source)), 'd.adv_fake': (1, objective.fake(fake.source)),
             **objective.d_class(p, real, fake),
             **{k: (objective.every * w, v) for k, (w, v) in more.items()}}
        adam_d.zero_grad()
        sum(w * v for w, v in d.values()).backward()
        adam_d.step()

        fake = Judged(objective, p, draw(p['G'], at('z_g'), classes('c_g')), classes('c_g'))
        g = {'g.adv': (1, objective.generator(fake.source)), **objective.g_class(p, fake)}
        adam_g.zero_grad()
        sum(w * v for w, v in g.values()).backward()
        adam_g.step()
        terms.append({k: float(v.detach()) for k, (_, v) in {**d, **g}.items()})
    final = {f'{n}.{k}': v.detach().numpy() for n, named in p.items() for k, v in named.items()}
    return terms, final


def shared_inputs(rng):
    normal = lambda *shape, s=1.0: rng.normal(0, s, shape)
    inputs = {}

    def bn(name, c):
        inputs.update({f'{name}.weight': 1 + normal(c, s=0.1), f'{name}.bias': normal(c, s=0.1),
                       f'{name}.running_mean': np.zeros(c), f'{name}.running_var': np.ones(c)})

    inputs['G.fc.weight'] = normal(G_CHANNELS[0] * BASE ** 2, LATENT + CLASSES, s=1 / 3)
    inputs['G.fc.bias'] = normal(G_CHANNELS[0] * BASE ** 2, s=0.1)
    bn('G.bn0', G_CHANNELS[0])
    for k, (a, b) in enumerate(zip(G_CHANNELS, G_CHANNELS[1:]), 1):
        inputs[f'G.conv{k}.weight'] = normal(4 * b, a, 3, 3, s=(9 * a) ** -0.5)
        bn(f'G.bn{k}', b)
    inputs['G.out.weight'] = normal(3, G_CHANNELS[-1], 3, 3, s=1 / 6)
    inputs['G.out.bias'] = normal(3, s=0.1)
    inputs['D.conv1.weight'] = normal(D_CHANNELS[0], 3, 4, 4, s=48 ** -0.5)
    inputs['D.conv1.bias'] = normal(D_CHANNELS[0], s=0.1)
    for k, (a, b) in enumerate(zip(D_CHANNELS, D_CHANNELS[1:]), 2):
        inputs[f'D.conv{k}.weight'] = normal(b, a, 4, 4, s=(16 * a) ** -0.5)
        bn(f'D.bn{k}', b)
    inputs['D.src.weight'], inputs['D.src.bias'] = normal(1, FEATURES, s=FEATURES ** -0.5), normal(1, s=0.1)
    inputs['real'] = rng.uniform(-1, 1, (STEPS, BATCH, 3, SIZE, SIZE))
    for name in ('y', 'c_d', 'c_g'):
        inputs[name] = rng.integers(0, CLASSES, (STEPS, BATCH))
    missing = rng.uniform(0, 1, (STEPS, BATCH)) < 0.4
    missing[3] = True  # A batch without any label.
    inputs['y_missing'] = np.where(missing, -1, inputs['y'])
    inputs['z_d'], inputs['z_g'] = normal(STEPS, BATCH, LATENT), normal(STEPS, BATCH, LATENT)
    return stored(inputs)


def stored(arrays):
    return {k: v.astype(np.int32 if v.dtype.kind == 'i' else np.float32) for k, v in arrays.items()}


def main():
    shared = shared_inputs(np.random.default_rng(SEED))
    tensors = {f'shared/in/{k}': v for k, v in shared.items()}
    listed = [{'case': 'shared', 'op': 'shared', 'inputs': list(shared), 'attrs': {
        'classes': CLASSES, 'lr': LR, 'betas': BETAS, 'size': SIZE,
        'generator': {'latent': LATENT, 'base': BASE, 'channels': G_CHANNELS},
        'discriminator': {'channels': D_CHANNELS}}}]
    for number, (name, make) in enumerate(OBJECTIVES.items()):
        objective, rng = make(), np.random.default_rng([SEED, number])
        own = {**objective.networks(rng), **objective.draws(rng)}
        if objective.head:
            own['D.cls.kind.weight'] = rng.normal(0, FEATURES ** -0.5, (objective.head, FEATURES))
            own['D.cls.kind.bias'] = rng.normal(0, 0.1, objective.head)
        own = stored(own)
        terms, final = train(objective, shared, own)
        values = np.array([[step.get(k, np.nan) for k in terms[0]] for step in terms])
        tensors.update({f'{name}/in/{k}': v for k, v in own.items()})
        tensors.update({f'{name}/extra/{k}': v for k, v in stored(
            {'terms': values, **{f'final.{k}': v for k, v in final.items()}}).items()})
        listed.append({'case': name, 'op': 'objective', 'inputs': list(own), 'attrs': {
            'plugins': objective.plugins, 'options': objective.options, 'missing': objective.missing,
            'terms': list(terms[0])}})
        print(f'{name}: {terms[-1]}')
    path = pathlib.Path(__file__).parent / 'data' / 'objectives.safetensors'
    write(path, tensors, {'cases': json.dumps(listed)})
    print(f'{len(listed)} cases, {path.stat().st_size} bytes, in {path.name}')


main()
