"""torch.optim.Adam on the rules of `mlsys.optim.rules.adam`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number, scalar
from mlsys.optim.rules import adam, amsgrad


class Adam(Front):
    """Move along the average gradient over the root of the average squared one, as torch.optim.Adam does.

        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        p <- p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps)
        amsgrad: v_max <- max(v_max, v), in place of v in the root

    lr, betas, eps, weight_decay, amsgrad, maximize, differentiable : as in torch
    decoupled_weight_decay : p <- (1 - lr * weight_decay) * p first, instead of an L2 term in the gradient
    foreach, fused : accepted and checked as in torch; the same engines run whatever they say
    capturable : True is refused at the step, as torch refuses it on a CPU: steps are counted on the host
    fast : False runs the readable path also where there is a fast one
    Raises ValueError, TypeError, RuntimeError (sparse gradients) or AssertionError in torch's words.
    Source: see mlsys.optim.adam, whose bodies these are.
    """

    keys = {"m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"}  # noqa: RUF012 (ClassVar in Front)
    no_sparse = "Adam does not support sparse gradients, please consider SparseAdam instead"

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        eager_lists = group["foreach"] and not group["capturable"]
        if eager_lists and isinstance(group["lr"], Tensor):
            raise ValueError(
                "lr as a Tensor is not supported for capturable=False and foreach=True. Pass a float."
            )
        words.rate(group)
        words.at_least_zero(group, eps="epsilon value", weight_decay="weight_decay value")
        for i, beta in enumerate(group["betas"]):
            if isinstance(beta, Tensor):
                if eager_lists:
                    raise ValueError(
                        f"betas[{i}] as a Tensor is not supported for capturable=False and foreach=True. "
                        "Pass floats."
                    )
                if beta.numel() != 1:
                    raise ValueError(f"Tensor betas[{i}] must be 1-element. Pass a float.")
        words.betas(group)
        if len({isinstance(beta, Tensor) for beta in group["betas"]}) > 1:
            raise ValueError("betas must be either both floats or both Tensors. Pass floats.")

    def rule(self, group: dict[str, Any]) -> Rule:
        beta1, beta2 = (scalar(beta, group["differentiable"]) for beta in group["betas"])
        hyper = adam.AdamHyper(number(group, "lr"), beta1, beta2, number(group, "eps"))
        return (amsgrad if group["amsgrad"] else adam).rule(hyper)
