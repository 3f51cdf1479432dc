"""How the project is judged: both budgets, by counting, and the accuracy on examples that nobody is given."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.compress import pruning
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps4.small_device import (
    MOST_BYTES,
    MOST_WORK,
    accuracy,
    device,
    fit,
    part,
    size_bytes,
    stored,
    task,
    work,
)

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere

# Accuracy lost on the 4,000 examples kept apart, for the whole of the points and for half of them. Over 100 nets each
# of the right answers below lost 0.009 or less in the mean, with a standard deviation of 0.008, and 0.030 at most: the
# target is 6 deviations away, or more. Keeping the units that add most lost 0.24; nine of them, refitted, 0.15.
LOST, HALF = 0.06, 0.15
NAMES = ("W1", "b1", "W2", "b2")


def serve(case: Case) -> Case:
    """The net, the examples that are given and a fresh device; not the seed."""
    made = task(case.given["seed"])
    X, y = part(made, "given")
    net = {name: np.array(x) for name, x in made.net._asdict().items()}
    return Case(case.title, {**net, "X": np.array(X), "y": np.array(y), "device": device(made)})


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """Over budget nothing counts; within it, what is lost does."""
    made, bits = task(case.given["seed"]), int(arrays["bits"])
    net = fit(*(arrays[name] for name in NAMES))
    size, cost, units = size_bytes(net, bits), work(net, bits), net.b1.size
    held = f"{units} units in {bits} bits take {size} bytes and {cost:g} of work"
    held += f"; allowed are {MOST_BYTES} and {MOST_WORK}."
    if cost > MOST_WORK:
        zeros = np.mean(np.concatenate([net.W1.ravel(), net.W2.ravel()]) == 0)
        if zeros > 0.2:
            held += " A 0 takes as long as any other number: only whole units that are left out save work."
        return Verdict(0.0, held)
    if size > MOST_BYTES:
        return Verdict(0.0, f"{held} Scales and biases count too.")
    X, y = part(made, "test")
    before, after = accuracy(made.net, X, y), accuracy(stored(net, bits), X, y)
    text = f"{held} On examples kept apart it is right on {after:.1%}, the net before on {before:.1%}; "
    text += f"the aim is to lose {LOST:.0%} at most."
    if before - after <= LOST:
        return Verdict(1.0, text)
    lost_by_bits = accuracy(net, X, y) - after
    if lost_by_bits > (before - after) / 2:
        text += (
            f" Without rounding it would be right on {after + lost_by_bits:.1%}: fewer units with more bits?"
        )
    return Verdict(0.5 if before - after <= HALF else 0.0, text)


def compress(net, X, y, device):
    W1, b1, W2, b2 = net
    H = np.maximum(X @ W1 + b1, 0)
    out = H @ W2 + b2
    A, B = H - H.mean(axis=0), out - out.mean(axis=0)
    G, C = A.T @ A + 1e-6 * np.eye(len(b1)), A.T @ B
    kept: list = []
    for _ in range(12):

        def explained(j):
            tried = [*kept, j]
            return np.sum(C[tried] * np.linalg.solve(G[np.ix_(tried, tried)], C[tried]))

        kept.append(max((j for j in range(len(b1)) if j not in kept), key=explained))
    ones = np.append(H[:, kept], np.ones((len(X), 1)), axis=1)
    W2, b2 = np.split(np.linalg.lstsq(ones, out, rcond=None)[0], [12])
    return W1[:, kept], b1[kept], W2, b2[0], 6


def by_trials(net, X, y, device):
    W1, b1, W2, b2 = net
    H = np.maximum(X @ W1 + b1, 0)
    adds, alike = H.std(axis=0) * np.linalg.norm(W2, axis=1), np.corrcoef(H.T + 1e-12 * np.arange(len(X)))
    out = H @ W2 + b2
    chosen: list = []
    for j in np.argsort(-adds):  # one of each group that does the same
        if all(alike[j, k] < 0.9 for k in chosen):
            chosen.append(j)
    found = []
    for units, bits in ((9, 8), (10, 7), (11, 6), (12, 6), (14, 5)):
        kept = chosen[:units]
        left = np.c_[H[:, kept], np.ones(len(X))]
        last = np.linalg.solve(left.T @ left + 1e-6 * np.eye(len(kept) + 1), left.T @ out)
        smaller = W1[:, kept], b1[kept], last[:-1], last[-1], bits
        size, cost, right = device.trial(*smaller)
        if size <= device.most_bytes and cost <= device.most_work:
            found.append((right, units, smaller))
    return max(found)[2]


def fine_tuned(net, X, y, device):
    W1, b1, W2, b2 = (torch.as_tensor(a) for a in net)
    X, bits = torch.as_tensor(X), 6
    H = torch.relu(X @ W1 + b1)
    out, rest, kept = H @ W2 + b2, H - H.mean(0), []
    far = out - out.mean(0)
    for _ in range(12):  # what explains most of what is left, which is then taken out of the others
        part = (rest.T @ far).norm(dim=1) / (rest.norm(dim=0) + 1e-3)
        kept.append(int(part.argmax()))
        unit = rest[:, kept[-1]] / rest[:, kept[-1]].norm()
        far, rest = far - torch.outer(unit, unit @ far), rest - torch.outer(unit, unit @ rest)
    ones = torch.cat([H[:, kept], torch.ones(len(X), 1, dtype=H.dtype)], dim=1)
    last = torch.linalg.lstsq(ones, out).solution
    parts = [a.clone().requires_grad_() for a in (W1[:, kept], b1[kept], last[:-1], last[-1])]

    def rounded(W):
        scale = W.detach().abs().amax(0).clamp(min=1e-9) / (2 ** (bits - 1) - 1)
        return W + (torch.round(W.detach() / scale) * scale - W.detach())

    optimizer = torch.optim.Adam(parts, lr=0.003)
    for _ in range(100):
        z = torch.relu(X @ rounded(parts[0]) + parts[1]) @ rounded(parts[2]) + parts[3]
        optimizer.zero_grad()
        ((z - out) ** 2).mean().backward()
        optimizer.step()
    return (*parts, bits)


def least_of_all(net, X, y, device):
    """The units with the largest incoming weights are not those that matter: some of them hardly ever fire. Look at
    what a unit adds to the outputs on the examples."""
    W1, b1, W2, b2 = net
    kept = np.argsort(-np.linalg.norm(W1, axis=0))[:12]
    return W1[:, kept], b1[kept], W2[kept], b2, 6


def not_refitted(net, X, y, device):
    """The units that are left do the work of those that went, if their outgoing weights are fitted anew, or all is
    tuned: this leaves them as they were."""
    W1, b1, W2, b2 = net
    adds = np.maximum(X @ W1 + b1, 0).std(axis=0) * np.linalg.norm(W2, axis=1)
    kept = np.argsort(-adds)[:12]
    return W1[:, kept], b1[kept], W2[kept], b2, 6


def copies_kept(net, X, y, device):
    """Of two units that do the same, both add much, and one is enough: choose each unit by what it explains beyond
    those that are kept already."""
    W1, b1, W2, b2 = net
    H = np.maximum(X @ W1 + b1, 0)
    kept = np.argsort(-H.std(axis=0) * np.linalg.norm(W2, axis=1))[:9]
    ones = np.append(H[:, kept], np.ones((len(X), 1)), axis=1)
    last = np.linalg.lstsq(ones, H @ W2 + b2, rcond=None)[0]
    return W1[:, kept], b1[kept], last[:-1], last[-1], 6


def bits_alone(net, X, y, device):
    return (*net, 2)


def single_zeros(net, X, y, device):
    W1, b1, W2, b2 = net
    return W1 * (np.abs(W1) > 1.5), b1, W2, b2, 2


def units_alone(net, X, y, device):
    W1, b1, W2, b2 = net
    adds = np.maximum(X @ W1 + b1, 0).std(axis=0) * np.linalg.norm(W2, axis=1)
    kept = np.argsort(-adds)[:12]
    return W1[:, kept], b1[kept], W2[kept], b2, 16


WRONG = edits(
    compress,
    too_coarse=("", "range(12)", "range(22)", "[12]", "[22]", "b2[0], 6", "b2[0], 3"),
    too_few=(
        "Five units are too few, however fine their numbers.",
        "range(12)",
        "range(5)",
        "[12]",
        "[5]",
        "b2[0], 6",
        "b2[0], 8",
    ),
    tries_for_ever=(
        "",
        "    kept: list = []\n",
        "    kept = [device.trial(*net, 8) for _ in range(100)][:0]\n",
    ),
    float_bits=("", "b2[0], 6", "b2[0], 32"),
    inputs_dropped=("", "return W1[:, kept]", "return W1[:8, kept]"),
)
SMALL = answers(least_of_all, not_refitted, copies_kept, bits_alone, single_zeros, units_alone)

PASTE = f"""
import torch
from torch import Tensor

{inspect.getsource(pruning.least)}

def compress(net, X, y, device):
    W1, b1, W2, b2 = net
    w = torch.as_tensor(W1)
    mask = least(w.abs().flatten(), 0.9).reshape(w.shape)
    return w * mask, b1, W2, b2, 8
"""


def one_class(net, X, y, device):
    return np.zeros((16, 1)), np.zeros(1), np.zeros((1, 5)), np.zeros(5), 2


GRADER = Grader(
    reference=Answer(compress),
    right=answers(by_trials, fine_tuned),
    wrong={**SMALL, **WRONG, "paste": Answer(PASTE)},
    idle=answers(one_class),
    judge=judge,
    serve=serve,
)
