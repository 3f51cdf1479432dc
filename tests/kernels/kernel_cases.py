"""Every body with and without decay, the readable step that defines its result, and inputs of hostile scales."""

from __future__ import annotations

import numpy as np
import torch

from mlsys.core import Rule, decay
from mlsys.optim import (
    adadelta,
    adagrad,
    adam,
    amsgrad,
    gradient_rule,
    momentum,
    nadam,
    radam,
    rmsprop,
)  # fmt: skip

RULES: dict[str, Rule] = {
    "sgd": gradient_rule(0.01),
    "momentum": momentum(0.01, 0.9, dampening=0.3),
    "nesterov": momentum(0.01, 0.9, nesterov=True),
    "adagrad": adagrad(0.1, eta_decay=0.1),
    "rmsprop": rmsprop(0.01),
    "rmsprop-centered": rmsprop(0.01, centered=True),
    "rmsprop-momentum": rmsprop(0.01, mu=0.9),
    "rmsprop-centered-momentum": rmsprop(0.01, mu=0.9, centered=True),
    "adadelta": adadelta(),
    "adam": adam(0.01),
    "adam-inside": adam(0.01, eps_root=1e-3),
    "amsgrad": amsgrad(0.01),
    "amsgrad-corrected": amsgrad(0.01, order="corrected"),
    "nadam": nadam(0.01),
    "radam": radam(0.01, beta2=0.9),
}
TAKEN = (
    4  # steps before the first one here: the next of RAdam's has no second moment yet, the one after it has
)
DECAYS = {"plain": None, "decayed": (-1.0, 0.01, 0.999)}
DTYPES = {"float32": torch.float32, "float64": torch.float64}


def hostile(shape: tuple[int, ...], dtype: torch.dtype, seed: int) -> torch.Tensor:
    """Normal numbers times 1e-3 … 1e3, some of them zero, in fresh memory."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) * 10.0 ** rng.uniform(-3, 3, shape)
    return torch.from_numpy(np.asarray(np.where(rng.random(shape) < 0.05, 0.0, x))).to(dtype)


def slots_of(rule: Rule, w: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Fresh slots in the memory order of w, filled as the rule says."""
    return tuple(torch.full_like(w, value) for value in rule.fill)


class Readable:
    """The body on NumPy arrays, operation by operation: what every engine is held to."""

    def __init__(self, rule: Rule, params: list[torch.Tensor], d: tuple[float, float, float] | None) -> None:
        self.rule, self.d, self.t = rule, d, TAKEN
        self.arrays = [[w.detach().numpy().copy(), *(s.numpy() for s in slots_of(rule, w))] for w in params]

    def step(self, grads: list[torch.Tensor]) -> tuple[float, ...]:
        """One step of every parameter; the coefficients that it used."""
        self.t += 1
        c = self.rule.coefficients(self.rule.hyper, self.t)
        for k, ((w, *slots), g) in enumerate(zip(self.arrays, grads, strict=True)):
            before = decay.body(w, g.numpy(), *self.d) if self.d else (w, g.numpy())
            self.arrays[k] = list(self.rule.body(*before, *slots, *c))
        return c

    def differing(self, params: list[torch.Tensor], slots: list[tuple[torch.Tensor, ...]]) -> int:
        """How many numbers differ in any bit, a NaN being equal to a NaN."""
        count = 0
        for arrays, w, own in zip(self.arrays, params, slots, strict=True):
            for mine, other in zip(arrays, (w, *own), strict=True):
                theirs = other.detach().numpy()
                count += int((~((mine == theirs) | (np.isnan(mine) & np.isnan(theirs)))).sum())
        return count
