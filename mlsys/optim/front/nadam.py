"""torch.optim.NAdam on the rule of `mlsys.optim.rules.nadam`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number, scalar
from mlsys.optim.front.ledger import dtype
from mlsys.optim.rules import nadam as rules


class NAdam(Front):
    """Adam whose step already looks ahead along the next momentum, as torch.optim.NAdam does.

        mu_t = beta1 * (1 - 0.96**(t * momentum_decay) / 2);  mu_product <- mu_product * mu_t
        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        d = (1 - mu_t) * g / (1 - mu_product) + mu_{t+1} * m / (1 - mu_product * mu_{t+1})
        p <- p - lr * d / (sqrt(v / (1 - beta2**t)) + eps)

    lr, betas, eps, weight_decay, momentum_decay, maximize, differentiable : as in torch
    decoupled_weight_decay : p <- (1 - lr * weight_decay) * p first, instead of an L2 term in the gradient
    foreach : accepted; the same engines run whatever it says
    capturable : True is refused at the step, as torch refuses it on a CPU: steps are counted on the host
    fast : False runs the readable path also where there is a fast one
    mu_product is kept in the state, as torch keeps it: in the default dtype, so that a schedule may change betas.
    (torch rounds what it loads to the dtype of the parameter; here a loaded product is what was saved.)
    Raises ValueError, TypeError, RuntimeError (sparse gradients) or AssertionError in torch's words.
    Source: see mlsys.optim.nadam, whose body this is.
    """

    keys = {"m": "exp_avg", "v": "exp_avg_sq"}  # noqa: RUF012 (declared ClassVar in Front)
    numbers = {"step": 0.0, "mu_product": 1.0}  # noqa: RUF012
    no_sparse = "NAdam does not support sparse gradients"

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.at_least_zero(
            group,
            eps="epsilon value",
            weight_decay="weight_decay value",
            momentum_decay="momentum_decay value",
        )
        words.betas(group)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, but mu_product is not rounded to the dtype of its parameter."""
        state = {
            i: {**own, "mu_product": float(own["mu_product"])} if "mu_product" in own else own
            for i, own in state_dict["state"].items()
        }
        super().load_state_dict({**state_dict, "state": state})  # torch leaves plain numbers as they are
        for own in self.state.values():
            if "mu_product" in own:
                own["mu_product"] = torch.tensor(own["mu_product"], dtype=dtype())

    def rule(self, group: dict[str, Any]) -> Rule:
        beta1, beta2 = (scalar(beta, differentiable=False) for beta in group["betas"])
        eps, psi = number(group, "eps"), scalar(group["momentum_decay"], differentiable=False)
        return rules.rule(rules.NAdamHyper(number(group, "lr"), beta1, beta2, eps, psi))
