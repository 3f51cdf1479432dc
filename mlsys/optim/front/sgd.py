"""torch.optim.SGD on the rules of `mlsys.optim.rules.sgd`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number
from mlsys.optim.rules import sgd as rules


class SGD(Front):
    """Move against the gradient, or against a decaying sum of the gradients, as torch.optim.SGD does.

        u <- momentum * u + (1 - dampening) * g   (at the first step u <- g);  p <- p - lr * u
        nesterov: p <- p - lr * (g + momentum * u);  without momentum: p <- p - lr * g

    lr, momentum, dampening, weight_decay (L2), nesterov, maximize, differentiable : as in torch
    foreach, fused : accepted and checked as in torch; the same engines run whatever they say
    fast : False runs the readable path also where there is a fast one
    Row-sparse gradients move their rows alone without momentum; with momentum they are made dense, which gives
    torch's numbers and keeps a dense buffer. Raises ValueError, TypeError or RuntimeError in torch's words.
    Source: see mlsys.optim.gradient_rule and mlsys.optim.momentum, whose bodies these are.
    """

    keys = {"u": "momentum_buffer"}  # noqa: RUF012 (declared ClassVar in Front)
    numbers = {}  # noqa: RUF012 (torch counts no steps of it)

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        self.check(defaults)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "Nesterov momentum requires a momentum and zero dampening; "
                f"got momentum={momentum}, dampening={dampening}. Pass momentum=0.9, dampening=0."
            )
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.at_least_zero(group, momentum="momentum value", weight_decay="weight_decay value")

    def rule(self, group: dict[str, Any]) -> Rule:
        eta, mu = number(group, "lr"), number(group, "momentum")
        if mu == 0:
            return rules.rule(rules.SGDHyper(eta))
        return rules.momentum_rule(rules.SGDHyper(eta, mu, number(group, "dampening")), group["nesterov"])
