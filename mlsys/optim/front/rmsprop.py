"""torch.optim.RMSprop on the rules of `mlsys.optim.rules.rmsprop`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number
from mlsys.optim.rules import rmsprop as rules


class RMSprop(Front):
    """Divide the rate by the root of a moving average of squared gradients, as torch.optim.RMSprop does.

        r <- alpha * r + (1 - alpha) * g**2;  p <- p - lr * g / (sqrt(r) + eps)
        centered: a <- alpha * a + (1 - alpha) * g, and sqrt(r - a**2) in place of sqrt(r)
        momentum > 0: u <- momentum * u + g / (sqrt(r) + eps);  p <- p - lr * u

    lr, alpha, eps, weight_decay (L2), momentum, centered, maximize, differentiable : as in torch
    foreach : accepted; the same engines run whatever it says
    capturable : True is refused at the step, as torch refuses it on a CPU: steps are counted on the host
    fast : False runs the readable path also where there is a fast one
    Raises ValueError, TypeError, RuntimeError (sparse gradients) or AssertionError in torch's words.
    Source: see mlsys.optim.rmsprop, whose bodies these are.
    """

    keys = {"r": "square_avg", "u": "momentum_buffer", "a": "grad_avg"}  # noqa: RUF012 (ClassVar in Front)
    no_sparse = "RMSprop does not support sparse gradients"

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        *,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.at_least_zero(
            group,
            eps="epsilon value",
            momentum="momentum value",
            weight_decay="weight_decay value",
            alpha="alpha value",
        )

    def rule(self, group: dict[str, Any]) -> Rule:
        hyper = rules.RMSPropHyper(*(number(group, name) for name in ("lr", "alpha", "eps", "momentum")))
        return rules.rule(hyper, group["centered"])
