"""torch.optim.RAdam on the rule of `mlsys.optim.rules.radam`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number, scalar
from mlsys.optim.rules import radam as rules


class RAdam(Front):
    """Momentum at first; Adam once its second moment has seen enough gradients, as torch.optim.RAdam does.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2;  c1 = 1 - beta1**t
        p <- p - lr * (m / c1) * (r_t * sqrt(1 - beta2**t) / (sqrt(v) + eps) where rho_t > 5, else 1)

    lr, betas, eps, weight_decay, maximize, differentiable : as in torch
    decoupled_weight_decay : p <- (1 - lr * weight_decay) * p first, instead of an L2 term in the gradient
    foreach : accepted; the same engines run whatever it says
    capturable : True is refused at the step, as torch refuses it on a CPU: steps are counted on the host
    fast : False runs the readable path also where there is a fast one
    Raises ValueError, TypeError, RuntimeError (sparse gradients) or AssertionError in torch's words.
    Source: see mlsys.optim.radam, whose body this is; r_t is mlsys.optim.schedules.rectification.
    """

    keys = {"m": "exp_avg", "v": "exp_avg_sq"}  # noqa: RUF012 (declared ClassVar in Front)
    no_sparse = "RAdam does not support sparse gradients"

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.at_least_zero(group, eps="epsilon value", weight_decay="weight_decay value")
        words.betas(group)

    def rule(self, group: dict[str, Any]) -> Rule:
        beta1, beta2 = (scalar(beta, differentiable=False) for beta in group["betas"])
        return rules.rule(rules.RAdamHyper(number(group, "lr"), beta1, beta2, number(group, "eps")))
