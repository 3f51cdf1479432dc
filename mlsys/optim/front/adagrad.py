"""torch.optim.Adagrad on the rule of `mlsys.optim.rules.adagrad`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number
from mlsys.optim.front.flat import Flat
from mlsys.optim.rules import adagrad as rules


class Adagrad(Front):
    """Divide each coordinate's rate by the root of its past squared gradients, as torch.optim.Adagrad does.

        eta = lr / (1 + (t - 1) * lr_decay);  sum <- sum + g**2;  p <- p - eta * g / (sqrt(sum) + eps)

    lr, lr_decay, weight_decay (L2), initial_accumulator_value, eps, maximize, differentiable : as in torch
    foreach, fused : accepted and checked as in torch; the same engines run whatever they say
    fast : False runs the readable path also where there is a fast one
    Row-sparse gradients move their rows alone. A group's own initial_accumulator_value is ignored, as in torch.
    Raises ValueError, TypeError or RuntimeError in torch's words.
    Source: see mlsys.optim.adagrad, whose body this is.
    """

    keys = {"G": "sum"}  # noqa: RUF012 (declared ClassVar in Front)

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults, fast)
        with torch.no_grad():  # as torch: the sums exist before the first step
            for group in self.param_groups:
                flat = Flat(group["params"] if fast and not differentiable else [])
                for p in group["params"]:
                    self._open(p, self.rule(group), flat)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.at_least_zero(
            group,
            lr_decay="lr_decay value",
            weight_decay="weight_decay value",
            initial_accumulator_value="initial_accumulator_value value",
            eps="epsilon value",
        )

    def rule(self, group: dict[str, Any]) -> Rule:
        hyper = rules.AdaGradHyper(number(group, "lr"), number(group, "eps"), number(group, "lr_decay"))
        return rules.rule(hyper, self.defaults["initial_accumulator_value"])

    def share_memory(self) -> None:
        """Move the sums to shared memory, as torch's method of this name."""
        for state in self.state.values():
            state["sum"].share_memory_()
