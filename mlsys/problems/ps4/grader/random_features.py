"""How random features are judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.features import random
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def kernel_features(X, lengths, normal, phase):
    U, D = X / lengths, len(phase)
    Z = np.sqrt(2 / D) * np.cos(U @ normal.T + phase)
    apart = ((U[:, None] - U) ** 2).sum(axis=2)
    return Z, np.exp(-apart / 2)


def loops(X, lengths, normal, phase):
    n, d = X.shape
    D = len(phase)
    Z, K = [], []
    for x in X:
        angles = [sum(normal[j][i] * x[i] / lengths[i] for i in range(d)) + phase[j] for j in range(D)]
        Z.append([math.sqrt(2 / D) * math.cos(a) for a in angles])
        K.append(
            [math.exp(-sum(((x[i] - X[k][i]) / lengths[i]) ** 2 for i in range(d)) / 2) for k in range(n)]
        )
    return Z, K


def in_torch(X, lengths, normal, phase):
    X, lengths, normal, phase = map(torch.as_tensor, (X, lengths, normal, phase))
    Z = (2 / len(phase)) ** 0.5 * torch.cos(torch.nn.functional.linear(X, normal / lengths, phase))
    return Z, torch.exp(
        -(torch.cdist(X / lengths, X / lengths, compute_mode="donot_use_mm_for_euclid_dist") ** 2) / 2
    )


def kernel_as_a_product(X, lengths, normal, phase):
    angles = X @ (normal / lengths).T + phase
    K = np.ones((len(X), len(X)))
    for i, length in enumerate(lengths):
        K *= np.exp(-0.5 * (np.subtract.outer(X[:, i], X[:, i]) / length) ** 2)
    return np.sin(angles + np.pi / 2) / np.sqrt(len(phase) / 2), K


FEATURES, HALF = "np.sqrt(2 / D) * np.cos(U @ normal.T + phase)", "np.exp(-apart / 2)"
SCALED = "U, D = X / lengths, len(phase)"

WRONG = edits(
    kernel_features,
    without_two=(
        "The factor is sqrt(2 / D): the mean of cos**2 is a half, so without the 2 a product is half the kernel.",
        "np.sqrt(2 / D)",
        "np.sqrt(1 / D)",
    ),
    mean_without_root=(
        "The factor is a root: in the product of two features it stands twice.",
        "np.sqrt(2 / D)",
        "(2 / D)",
    ),
    no_factor=(
        "The factor sqrt(2 / D) is missing: the product should be a mean over the features.",
        "np.sqrt(2 / D) * ",
        "",
    ),
    divided_by_d=(
        "D is the number of features, and not of dimensions.",
        "np.sqrt(2 / D)",
        "np.sqrt(2 / X.shape[1])",
    ),
    times_the_lengths=(
        "X is divided by the lengths: within a length the kernel hardly falls.",
        SCALED,
        "U, D = X * lengths, len(phase)",
    ),
    lengths_left_out=("The lengths are left out: each input has its own.", SCALED, "U, D = X, len(phase)"),
    one_length=(
        "One length for all inputs, their mean: each input has its own.",
        SCALED,
        "U, D = X / lengths.mean(), len(phase)",
    ),
    features_not_scaled=(
        "K is right. In Z the points are not divided by the lengths: the features belong to another kernel.",
        FEATURES,
        FEATURES.replace("U", "X"),
    ),
    phase_scaled=(
        "The phase is added after the division by the lengths and the product, once a feature.",
        FEATURES,
        "np.sqrt(2 / D) * np.cos((U + phase.mean()) @ normal.T)",
    ),
    without_phase=(
        "The phase is missing: without it the product of two cosines also has a term in x + y, which does not average "
        "out.",
        " + phase)",
        ")",
    ),
    in_degrees=("The phases are in radians already.", " + phase)", " + np.deg2rad(phase))"),
    sines=("This takes sines; the features are cosines.", "np.cos(", "np.sin("),
    no_half=("The kernel is exp(-r**2 / 2): the half is missing.", HALF, "np.exp(-apart)"),
    not_squared=(
        "The kernel falls with the squared distance; this is the distance.",
        HALF,
        "np.exp(-np.sqrt(apart) / 2)",
    ),
    squared_after_the_sum=(
        "Each difference is squared before they are added up.",
        "((U[:, None] - U) ** 2).sum(axis=2)",
        "(U[:, None] - U).sum(axis=2) ** 2",
    ),
    approximate_kernel=(
        "K is to be the exact kernel, by its formula, and not the product of the features, which estimates it.",
        HALF,
        "Z @ Z.T",
    ),
    exchanged=("", f"return Z, {HALF}", f"return {HALF}, Z"),
)

PASTE = f"""
from abc import ABC, abstractmethod

def positive(**named):
    return next(iter(named.values()))

def whole(least, **named):
    return next(iter(named.values()))

{inspect.getsource(random.Features)}

{inspect.getsource(random.Dense)}

def kernel_features(X, lengths, normal, phase):
    gamma = float(0.5 / np.mean(lengths) ** 2)
    features = Dense(X.shape[1], 2 * len(phase), gamma, normal)
    apart = ((X[:, None] - X) ** 2).sum(axis=2)
    return features.transform(X)[:, : len(phase)], np.exp(-gamma * apart)
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The kernel, and then the features."""
    n, D = len(case.given["X"]), len(case.given["phase"])

    def told(name: str, i: int) -> str:
        if name == "K":
            return f"K[{i // n}, {i % n}], the kernel of point {i // n + 1} and point {i % n + 1},"
        return f"K is right; Z[{i // D}, {i % D}], feature {i % D + 1} of point {i // D + 1},"

    return first_off(arrays, expected, told, rtol=1e-4, atol=1e-5)


def nothing(X, lengths, normal, phase):
    return np.zeros((len(X), len(phase))), np.eye(len(X))


GRADER = Grader(
    reference=Answer(kernel_features),
    right=answers(loops, in_torch, kernel_as_a_product),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(nothing),
    judge=judge,
)
