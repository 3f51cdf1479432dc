"""torch.optim.AdamW on the rules of `mlsys.optim.rules.adam`."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from mlsys.optim.front.adam import Adam


class AdamW(Adam):
    """Adam with weight decay beside the gradient instead of through it, as torch.optim.AdamW does.

        p <- (1 - lr * weight_decay) * p, and then Adam's step

    lr, betas, eps, weight_decay, amsgrad, maximize, differentiable : as in torch
    foreach, fused, capturable, fast : as in mlsys.optim.Adam
    Every group decays so, whatever a loaded state says, as in torch.
    Raises ValueError, TypeError, RuntimeError (sparse gradients) or AssertionError in torch's words.
    Source: see mlsys.optim.adamw.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        fast: bool = True,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
            fast=fast,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
