"""torch.optim.Adadelta on the rule of `mlsys.optim.rules.adadelta`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number
from mlsys.optim.rules import adadelta as rules


class Adadelta(Front):
    """Scale the gradient by the root mean square of past steps over that of gradients, as torch.optim.Adadelta.

        r <- rho * r + (1 - rho) * g**2;  d = sqrt(s + eps) / sqrt(r + eps) * g
        s <- rho * s + (1 - rho) * d**2;  p <- p - lr * d

    lr, rho, eps, weight_decay (L2), maximize, differentiable : as in torch
    foreach : accepted; the same engines run whatever it says
    capturable : True is refused at the step, as torch refuses it on a CPU: steps are counted on the host
    fast : False runs the readable path also where there is a fast one
    Raises ValueError, TypeError, RuntimeError (sparse gradients) or AssertionError in torch's words.
    Source: see mlsys.optim.adadelta, whose body this is.
    """

    keys = {"r": "square_avg", "s": "acc_delta"}  # noqa: RUF012 (declared ClassVar in Front)
    no_sparse = "Adadelta does not support sparse gradients"

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.require(
            lambda x: 0.0 <= x <= 1.0, "rho", group["rho"], "Invalid rho value", "Pass rho in [0, 1]."
        )
        words.at_least_zero(group, eps="epsilon value", weight_decay="weight_decay value")

    def rule(self, group: dict[str, Any]) -> Rule:
        return rules.rule(rules.AdaDeltaHyper(*(number(group, name) for name in ("lr", "rho", "eps"))))
