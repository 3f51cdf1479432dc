"""Every rule beside the torch optimiser that has our convention, and gradients of hostile scales."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mlsys.core import Rule
from mlsys.optim import (
    adadelta,
    adagrad,
    adam,
    adamw,
    amsgrad,
    gradient_rule,
    momentum,
    nadam,
    radam,
    rmsprop,
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A factory with arguments, torch's class with the same ones, and torch's name of each of our slots."""

    factory: Any
    ours: dict[str, Any]
    peer: type[torch.optim.Optimizer]
    theirs: dict[str, Any]
    slots: dict[str, str]

    def rule(self) -> Rule:
        return self.factory(**self.ours)


SGD, ADAM, RMS, NADAM = torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop, torch.optim.NAdam
MOMENTS = {"m": "exp_avg", "v": "exp_avg_sq"}
CASES = {
    "sgd": Case(gradient_rule, {"eta": 0.01}, SGD, {"lr": 0.01}, {}),
    "momentum": Case(
        momentum, {"eta": 0.01, "mu": 0.9}, SGD, {"lr": 0.01, "momentum": 0.9}, {"u": "momentum_buffer"}
    ),
    "dampened": Case(
        momentum, {"eta": 0.01, "mu": 0.8, "dampening": 0.3}, SGD,
        {"lr": 0.01, "momentum": 0.8, "dampening": 0.3}, {"u": "momentum_buffer"},
    ),
    "nesterov": Case(
        momentum, {"eta": 0.01, "mu": 0.9, "nesterov": True}, SGD,
        {"lr": 0.01, "momentum": 0.9, "nesterov": True}, {"u": "momentum_buffer"},
    ),
    "adagrad": Case(adagrad, {"eta": 0.1}, torch.optim.Adagrad, {"lr": 0.1}, {"G": "sum"}),
    "adagrad-decay": Case(
        adagrad, {"eta": 0.1, "eps": 1e-3, "initial": 0.5, "eta_decay": 0.1}, torch.optim.Adagrad,
        {"lr": 0.1, "eps": 1e-3, "initial_accumulator_value": 0.5, "lr_decay": 0.1}, {"G": "sum"},
    ),
    "rmsprop": Case(rmsprop, {"eta": 0.01, "rho": 0.9}, RMS, {"lr": 0.01, "alpha": 0.9}, {"r": "square_avg"}),
    "rmsprop-centered": Case(
        rmsprop, {"eta": 0.01, "centered": True}, RMS, {"lr": 0.01, "centered": True},
        {"r": "square_avg", "a": "grad_avg"},
    ),
    "rmsprop-momentum": Case(
        rmsprop, {"eta": 0.01, "mu": 0.9}, RMS, {"lr": 0.01, "momentum": 0.9},
        {"r": "square_avg", "u": "momentum_buffer"},
    ),
    "rmsprop-centered-momentum": Case(
        rmsprop, {"eta": 0.01, "mu": 0.9, "centered": True}, RMS, {"lr": 0.01, "momentum": 0.9, "centered": True},
        {"r": "square_avg", "u": "momentum_buffer", "a": "grad_avg"},
    ),
    "adadelta": Case(
        adadelta, {"eta": 1.0, "rho": 0.9}, torch.optim.Adadelta, {"lr": 1.0, "rho": 0.9},
        {"r": "square_avg", "s": "acc_delta"},
    ),
    "adam": Case(adam, {"eta": 1e-3}, ADAM, {"lr": 1e-3}, {"m": "exp_avg", "v": "exp_avg_sq"}),
    "amsgrad": Case(
        amsgrad, {"eta": 1e-2, "beta1": 0.8, "beta2": 0.95}, ADAM,
        {"lr": 1e-2, "betas": (0.8, 0.95), "amsgrad": True},
        {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"},
    ),
    "adamw": Case(
        adamw, {"eta": 1e-2, "lam": 0.3}, torch.optim.AdamW, {"lr": 1e-2, "weight_decay": 0.3}, MOMENTS
    ),
    "nadam": Case(nadam, {"eta": 1e-2, "beta2": 0.99}, NADAM, {"lr": 1e-2, "betas": (0.9, 0.99)}, MOMENTS),
    "nadam-slow": Case(
        nadam, {"eta": 1e-2, "beta1": 0.7, "psi": 0.1}, NADAM,
        {"lr": 1e-2, "betas": (0.7, 0.999), "momentum_decay": 0.1}, MOMENTS,
    ),
    "radam": Case(radam, {"eta": 1e-2}, torch.optim.RAdam, {"lr": 1e-2}, MOMENTS),
    "radam-short": Case(
        radam, {"eta": 1e-2, "beta2": 0.5}, torch.optim.RAdam, {"lr": 1e-2, "betas": (0.9, 0.5)}, MOMENTS
    ),
}  # fmt: skip


@contextmanager
def double():
    """Scalars that torch keeps beside a parameter, such as NAdam's product, have the default dtype, not its own."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def hostile_gradients(steps: int = 100, d: int = 60, seed: int = 0) -> np.ndarray:
    """(steps, d) float64: each coordinate has its own scale, from 1e-3 to 1e3; one is zero for a while."""
    rng = np.random.default_rng(seed)
    g = rng.standard_normal((steps, d)) * np.geomspace(1e-3, 1e3, d)
    g[: steps // 2, d // 2] = 0
    return g
