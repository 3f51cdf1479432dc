"""AdamW whose moments are kept in fewer bits, behind `torch.optim.Optimizer`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import is_
from typing import Any

import torch
from torch import Tensor

from mlsys.core import lowbit as codes
from mlsys.core.checks import kind
from mlsys.core.dispatch import lowbit_path
from mlsys.core.lowbit import Memory
from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.base import Front, number, watched
from mlsys.optim.front.engines import say_once
from mlsys.optim.lowbit import LowBitState, check_format, check_seed, lowbit
from mlsys.optim.rules import adam

_DTYPES = {"bfloat16": torch.bfloat16, "8bit": torch.uint8}
# In bfloat16 torch's own names: its state_dict loads, rounded to nearest. Codes of 8 bits are not moments.
_KEYS = {
    "bfloat16": ("exp_avg", "exp_avg_sq"),
    "8bit": ("exp_avg_codes", "exp_avg_sq_codes", "exp_avg_offsets", "exp_avg_sq_offsets"),
}


@dataclass
class Cohort:
    """Parameters of one group that share a device and a step number. places : theirs among those with gradients."""

    t: int
    params: list[Tensor]
    places: list[int]
    memory: list[Memory]
    steps: list[Tensor]
    plan: Any = None


class LowBitAdamW(Front):
    """torch.optim.AdamW with its moments in bfloat16, or in 8 bits with an offset a block of 256.

        p <- (1 - lr * weight_decay) * p
        m <- beta1 * m + (1 - beta1) * g;  v <- beta2 * v + (1 - beta2) * g**2
        p <- p - lr * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + eps);  then m and v are rounded

    params : float32 tensors;  lr, betas, eps, weight_decay, maximize : as in torch.optim.AdamW
    moments : "bfloat16" or "8bit";  rounding : "stochastic" or "nearest";  seed : as in mlsys.optim.lowbit
    fast : False runs the readable path also where there is a fast one
    Bytes kept beside a weight and its gradient: 4 or 2, where AdamW keeps 8; moved in a step: 20 or 16, not 28.
    The random numbers depend on seed, step and place alone: a loaded state_dict goes on to the bit.
    Raises ValueError, TypeError or RuntimeError (sparse gradients), in torch's words where torch has them.
    Source: see mlsys.optim.lowbit, whose numbers these are.
    """

    no_sparse = "AdamW does not support sparse gradients, please consider SparseAdam instead"

    def __init__(
        self,
        params: Any,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        *,
        moments: str = "bfloat16",
        rounding: str = "stochastic",
        seed: int = 0,
        maximize: bool = False,
        fast: bool = True,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "moments": moments,
            "rounding": rounding,
            "seed": seed,
            "maximize": maximize,
            "differentiable": False,
        }
        super().__init__(params, defaults, fast)

    def check(self, group: dict[str, Any]) -> None:
        words.rate(group)
        words.at_least_zero(group, eps="epsilon value", weight_decay="weight_decay value")
        words.betas(group)
        check_format(group["moments"], group["rounding"])
        check_seed(group["seed"])

    def rule(self, group: dict[str, Any]) -> Rule:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        return adam.rule(adam.AdamHyper(number(group, "lr"), beta1, beta2, number(group, "eps")))

    def _forget(self) -> None:
        super()._forget()
        self._kept: dict[int, tuple[tuple[str, str], list[Tensor], list[Cohort]]] = {}

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As torch's. The new parameters' random numbers begin where those of the others end."""
        super().add_param_group(param_group)
        self._forget()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # torch loads every state in the dtype of its parameter
            for p in group["params"]:
                own = self.__dict__["state"].get(p, {})
                for key in {*_KEYS[group["moments"]][:2]} & own.keys():
                    own[key] = own[key].to(_DTYPES[group["moments"]])

    @watched
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every group, in place; the closure's loss, None without a closure.

        All groups are checked before any is written.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            if self._stale:
                self._forget()
            groups = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
            for i, (group, params) in enumerate(zip(self.param_groups, groups, strict=True)):
                if not self._fits(i, group, params):
                    self._check_all(group, params)
            for i, (group, params) in enumerate(zip(self.param_groups, groups, strict=True)):
                if not self._fits(i, group, params):
                    self._kept[i] = (
                        (group["moments"], group["rounding"]),
                        params,
                        self._cohorts(group, params),
                    )
                self._move(group, self._kept[i][2], [p.grad for p in params])
            self._stale = False
        return loss

    def _fits(self, index: int, group: dict[str, Any], params: list[Tensor]) -> bool:
        """Whether the group's cohorts are those of its last step."""
        form, kept, _ = self._kept.get(index, ((), [], []))
        same = form == (group["moments"], group["rounding"]) and len(kept) == len(params)
        return same and all(map(is_, kept, params))

    def _check_all(self, group: dict[str, Any], params: list[Tensor]) -> None:
        check_format(group["moments"], group["rounding"])
        for p in params:
            assert p.grad is not None
            if p.dtype != torch.float32:
                raise TypeError(
                    f"LowBitAdamW takes float32 parameters; got {p.dtype}. Convert the model with .float()."
                )
            words.gradient(p, p.grad, group, self.no_sparse, type(self).__name__)
            own = self.__dict__["state"].get(p)
            if own:
                keys = _KEYS[group["moments"]]
                words.complete(p, own, ["step", *keys])
                for key in keys[:2]:
                    words.agrees(f"state[{key!r}]", own[key], p)

    def _cohorts(self, group: dict[str, Any], params: list[Tensor]) -> list[Cohort]:
        """The states opened, and a plan for each lot that a kernel can take."""
        first, firsts = 0, {}
        for other in self.param_groups:
            for p in other["params"]:
                firsts[p] = first
                first += p.numel()
        alike: dict[tuple, Cohort] = {}
        for place, p in enumerate(params):
            own = self.__dict__["state"].setdefault(p, {})
            if not own:
                own.update(opened(p, group["moments"]))
            key = (p.device, int(own["step"]))
            cohort = alike.setdefault(key, Cohort(key[1], [], [], [], []))
            m, v, *offsets = (own[key] for key in _KEYS[group["moments"]])
            cohort.params.append(p)
            cohort.places.append(place)
            cohort.memory.append(Memory(m, v, tuple(offsets), firsts[p]))
            cohort.steps.append(own["step"])
        for cohort in alike.values() if self.fast else ():
            cohort.plan = planned(self.rule(group), cohort, group)
        return list(alike.values())

    def _move(self, group: dict[str, Any], cohorts: list[Cohort], grads: list[Any]) -> None:
        rule, lam = self.rule(group), number(group, "lr") * number(group, "weight_decay")
        d = (-1.0 if group["maximize"] else 1.0, 0.0, 1 - lam)
        for cohort in cohorts:
            t, mine = cohort.t + 1, [grads[i] for i in cohort.places]
            try:
                if cohort.plan is not None:
                    cohort.plan.step(mine, rule.coefficients(rule.hyper, t), d, codes.key(group["seed"], t))
            except (NotImplementedError, TypeError, ValueError):  # nothing was written
                self._check_all(group, cohort.params)
                cohort.plan = None
            if cohort.plan is None:
                for p, g, memory in zip(cohort.params, mine, cohort.memory, strict=True):
                    readable(replace(rule, decay=lambda hyper: d), p, g, memory, group, t)
            torch._foreach_add_(cohort.steps, 1)
            cohort.t = t


def opened(p: Tensor, moments: str) -> dict[str, Tensor]:
    """A state before the first step."""
    own = {"step": torch.tensor(0.0)}
    own |= {
        key: torch.zeros_like(p, dtype=_DTYPES[moments], requires_grad=False) for key in _KEYS[moments][:2]
    }
    if moments == "8bit":
        none = torch.zeros(-(-p.numel() // codes.BLOCK), dtype=torch.int32, device=p.device)
        made = (codes.signed_offset(none), codes.squares_offset(none))
        own |= dict(zip(_KEYS[moments][2:], made, strict=True))
    return own


def planned(rule: Rule, cohort: Cohort, group: dict[str, Any]) -> Any:
    """The fast path of a cohort, or None where there is none."""
    try:
        cls = lowbit_path(kind(cohort.params[0]))
        form = (group["moments"], group["rounding"])
        return cls(rule.body, cohort.params, cohort.memory, *form, True)
    except NotImplementedError as error:
        if isinstance(error.__cause__, ImportError):
            say_once(str(error))
    except ImportError as error:
        say_once(str(error))
    except TypeError:  # no engine for this device
        pass
    return None


def readable(rule: Rule, p: Tensor, g: Tensor, memory: Memory, group: dict[str, Any], t: int) -> None:
    """The step of mlsys.optim.lowbit on the numbers in the order of the codes' memory, copied into their places."""
    order = sorted(range(p.dim()), key=lambda k: -memory.m.stride(k))
    places = [x.permute(order) for x in (p, g, memory.m, memory.v)]
    w, g, m, v = (x.reshape(-1) for x in places)
    if group["moments"] == "bfloat16":
        m, v = m.view(torch.int16), v.view(torch.int16)
    reference = lowbit(rule, group["moments"], group["rounding"], group["seed"], memory.first)
    w, state = reference.step(w, g, LowBitState(t - 1, m, v, *(memory.offsets or ((), ()))))
    m, v = (x.view(memory.m.dtype) for x in (state.m, state.v))
    for place, new in zip((places[0], *places[2:]), (w, m, v), strict=True):
        place.copy_(new.reshape(place.shape))
    for old, offsets in zip(memory.offsets, (state.m_offsets, state.v_offsets), strict=False):
        old.copy_(offsets)
