"""Lookahead around any torch-compatible optimiser, and Ranger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from mlsys.core.checks import real, whole
from mlsys.optim.front.base import watched
from mlsys.optim.front.radam import RAdam

_SHARED_HOOKS = (
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)


class Lookahead(torch.optim.Optimizer):
    """Let an optimiser run k steps ahead, then go a share alpha of the way after it, and start again from there.

        each k-th step: slow <- slow + alpha * (p - slow);  p <- slow

    optimizer : ours or torch's. Its groups and its state are also this one's, so that schedulers of either drive
    both; step, zero_grad and the checkpoint go through here.
    k : int >= 1, in steps;  alpha : float in (0, 1]
    slow : parameter -> its slow weights, those to judge the run by, from the first step on (or the start of the
    cycle after the parameter was added)
    state_dict is the optimiser's with one more entry, "lookahead"; without it a loaded state starts a new cycle.
    Raises TypeError or ValueError for arguments out of range, for an optimiser that is differentiable (what
    autograd saved would be overwritten), and for slow weights of another model.
    Source: see mlsys.optim.lookahead, whose steps these are. Limit: a copy of the parameters.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, k: int = 5, alpha: float = 0.5) -> None:
        if not isinstance(optimizer, torch.optim.Optimizer):
            raise TypeError(
                f"optimizer must be a torch.optim.Optimizer; got {type(optimizer).__name__}. "
                "For a rule of mlsys.optim, use mlsys.optim.lookahead."
            )
        if optimizer.defaults.get("differentiable"):
            raise ValueError("optimizer must not be differentiable: lookahead overwrites its parameters.")
        k, alpha = whole(1, k=k), real(alpha=alpha)
        if not 0 < alpha <= 1:
            raise ValueError(f"alpha must lie in (0, 1]; got {alpha!r}.")
        # Not through torch's __init__, which would open groups of its own: through what unpickling goes through.
        self.__setstate__({"optimizer": optimizer, "k": k, "alpha": alpha, "t": 0, "slow": {}})

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in ("optimizer", "k", "alpha", "t", "slow")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.optimizer: torch.optim.Optimizer = state["optimizer"]
        self.k: int = state["k"]
        self.alpha: float = state["alpha"]
        self.t: int = state["t"]
        self.slow: dict[Tensor, Tensor] = state["slow"]
        super().__setstate__({"defaults": self.optimizer.defaults})
        for name in _SHARED_HOOKS:  # registered here, they run where the checkpoint is made
            setattr(self, name, getattr(self.optimizer, name))

    @property
    def param_groups(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The optimiser's own."""
        return self.optimizer.param_groups

    @property
    def state(self) -> Any:  # type: ignore[override]
        """The optimiser's own."""
        return self.optimizer.state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """To the optimiser."""
        self.optimizer.add_param_group(param_group)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """The optimiser's own."""
        self.optimizer.zero_grad(set_to_none)

    @watched
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """A step of the optimiser, and each k-th time one of the slow weights; what the optimiser returns."""
        if self.t % self.k == 0:  # a new cycle: slow and fast weights are one
            self.slow = {p: self._slow(p) for p in self._params()}
        loss = self.optimizer.step(closure)
        self.t += 1
        if self.t % self.k == 0:
            fast = [p for p in self._params() if p in self.slow]
            slow = [self.slow[p] for p in fast]
            with torch.no_grad():
                torch._foreach_lerp_(slow, fast, self.alpha)
                torch._foreach_copy_(fast, slow)
        return loss

    def _params(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"]]

    def _slow(self, p: Tensor) -> Tensor:
        known = self.slow.get(p)
        return p.detach().clone() if known is None else known

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's, and under "lookahead" k, alpha, the steps taken and the slow weights by parameter."""
        slow = {i: self.slow[p] for i, p in enumerate(self._params()) if p in self.slow}
        own = {"k": self.k, "alpha": self.alpha, "t": self.t, "slow": slow}
        return {**self.optimizer.state_dict(), "lookahead": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """From this state_dict, or from the optimiser's alone."""
        own = state_dict.get("lookahead", {"k": self.k, "alpha": self.alpha, "t": 0, "slow": {}})
        params = self._params()
        for i, slow in own["slow"].items():
            if i >= len(params) or slow.shape != params[i].shape:
                there = tuple(params[i].shape) if i < len(params) else "none"
                raise ValueError(
                    f"slow[{i}] has shape {tuple(slow.shape)}, its parameter {there}. Load this model's state."
                )
        self.optimizer.load_state_dict({k: v for k, v in state_dict.items() if k != "lookahead"})
        self.k, self.alpha, self.t = own["k"], own["alpha"], own["t"]
        self.slow = {
            params[i]: torch.empty_like(params[i], requires_grad=False).copy_(slow)
            for i, slow in own["slow"].items()
        }


class Ranger(Lookahead):
    """RAdam inside Lookahead, with the defaults of its author.

    params, lr, betas, eps, weight_decay, and any further keyword arguments : as in mlsys.optim.RAdam
    k, alpha : as in mlsys.optim.Lookahead
    Raises what those raise. Source: see mlsys.optim.ranger.
    """

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.95, 0.999),
        eps: float = 1e-5,
        weight_decay: float = 0,
        *,
        k: int = 6,
        alpha: float = 0.5,
        **more: Any,
    ) -> None:
        super().__init__(RAdam(params, lr, betas, eps, weight_decay, **more), k, alpha)
