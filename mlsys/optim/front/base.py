"""A Rule behind `torch.optim.Optimizer`."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.engines import Decay
from mlsys.optim.front.ledger import Ledger, Roster

_layout = attrgetter("layout")


class Turn(NamedTuple):
    """What one group will do in this step, checked and not yet begun."""

    ledger: Ledger
    roster: Roster
    rule: Rule
    grads: list[Any]
    d: Decay | None


class Front(torch.optim.Optimizer):
    """What the rules share: groups, gradients, state, and the choice of engine.

    A subclass gives `keys` (the rule's letters to torch's names in the state), `rule(group)`, `check(group)`.
    Between steps torch's semantics hold for parameters, gradients and groups, which are looked at anew each
    step. State is looked at again after `optimizer.state` has been read (also by state_dict, pickle and
    deepcopy): so change it through that attribute, not through an inner dict kept from before a step.
    """

    keys: ClassVar[dict[str, str]]
    counted: ClassVar[bool] = True
    no_sparse: ClassVar[str] = ""

    fast = True

    def __init__(self, params: Any, defaults: dict[str, Any], fast: bool) -> None:
        self.check(defaults)
        self._forget()
        self.fast = bool(fast)
        super().__init__(params, defaults)
        words.implementations(defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Raise unless the group's hyper-parameters are in range."""
        raise NotImplementedError

    def rule(self, group: dict[str, Any]) -> Rule:
        """The Rule of the group's present hyper-parameters."""
        raise NotImplementedError

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As torch's, and the group's own hyper-parameters are checked first."""
        if isinstance(param_group, dict):
            self.check({**self.defaults, **param_group})
        super().add_param_group(param_group)

    # State, and when it may have changed behind our back

    @property
    def state(self) -> Any:
        """torch's mapping from parameter to its state; reading it makes the next step look at it again."""
        self._stale = True
        return self.__dict__["state"]

    @state.setter
    def state(self, value: Any) -> None:
        self._stale = True
        self.__dict__["state"] = value

    def _forget(self) -> None:
        self._ledgers: list[Ledger] = []
        self._stale = False

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "fast": self.fast}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:  # a checkpoint of another version may lack newer options
            for name, default in self.defaults.items():
                group.setdefault(name, default)
        self._forget()

    # A step

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every group, in place; the closure's loss, None without a closure.

        All groups are checked before any is written. Raises RuntimeError, AssertionError or KeyError in
        torch's words for gradients, options and states that cannot be served.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.set_grad_enabled(self.defaults["differentiable"]):
            if self._stale:
                for ledger in self._ledgers:
                    ledger.rosters.clear()
                self._stale = False
            turns = [self._turn(i, group) for i, group in enumerate(self.param_groups)]
            for ledger, roster, rule, grads, d in turns:
                if roster.ones is None:
                    ledger.admit(roster, self._open, rule, self._quick())
                ledger.step(roster, rule, grads, d)
        return loss

    def _quick(self) -> bool:
        return self.fast and not self.defaults["differentiable"]

    def _turn(self, index: int, group: dict[str, Any]) -> Turn:
        params = group["params"]
        grads = [p.grad for p in params]
        try:
            kinds = list(map(_layout, grads))
        except AttributeError:  # some are None
            kinds = [None if g is None else g.layout for g in grads]
        rule, d = self.rule(group), self._decay(group)
        ledger = self._ledger(index, params)
        words.not_served(group, type(self).__name__, ledger.on_cuda)
        roster = ledger.find(params, kinds, rule, d is not None)
        if roster is None:
            roster = Roster(list(params), kinds, rule, d is not None)
            for p, kind in zip(params, kinds, strict=True):
                if kind is not None:
                    words.gradient(p, kind, group, self.no_sparse, type(self).__name__)
                    self._check_state(p, rule)
        return Turn(ledger, roster, rule, grads, d)

    def _ledger(self, index: int, params: list[Tensor]) -> Ledger:
        while len(self._ledgers) <= index:
            self._ledgers.append(Ledger([], self.counted))
        if not self._ledgers[index].keeps(params):
            self._ledgers[index] = Ledger(params, self.counted)
        return self._ledgers[index]

    def _decay(self, group: dict[str, Any]) -> Decay | None:
        """(sign, lam, keep) of the prelude, None where it would do nothing."""
        lam, keep = number(group, "weight_decay"), 1.0
        if group.get("decoupled_weight_decay"):
            lam, keep = 0.0, 1 - number(group, "lr") * lam
        d = (-1.0 if group["maximize"] else 1.0, lam, keep)
        return None if d == (1.0, 0.0, 1.0) else d

    def _check_state(self, p: Tensor, rule: Rule) -> None:
        """Raise KeyError or ValueError if the state that p has is not one of this rule."""
        state = self.__dict__["state"].get(p) or {}
        wanted = [self.keys[letter] for letter in letters(rule)]
        if state and self.counted:
            for key in ("step", *wanted):
                if key not in state:
                    raise KeyError(
                        f"{key}: the state of a parameter of shape {tuple(p.shape)} has only {sorted(state)}. "
                        "It is another rule's, or an option was changed midway: load the right state_dict, "
                        "or delete optimizer.state[p] to start afresh."
                    )
        for key in wanted:
            slot = state.get(key)
            if slot is not None and slot.shape != p.shape:
                raise ValueError(
                    f"state[{key!r}] must have the shape {tuple(p.shape)} of its parameter; "
                    f"got {tuple(slot.shape)}. Load the state_dict of the same model."
                )

    def _open(self, p: Tensor, rule: Rule) -> tuple[dict[str, Any], tuple[Tensor, ...], float]:
        """(state, slots, steps taken) of p, opened if it has none yet."""
        states = self.__dict__["state"]
        state = states[p] if rule.fill or self.counted else {}  # torch's plain SGD leaves no trace
        taken = float(state.get("step", 0.0)) if self.counted else float(self._begun(state))
        if self.counted:
            state.setdefault("step", torch.tensor(0.0))  # first, as in torch's dicts
        for letter, fill in zip(letters(rule), rule.fill, strict=True):
            key = self.keys[letter]
            if state.get(key) is None:
                value = complex(fill, fill) if p.is_complex() else fill
                state[key] = torch.full_like(p, value, requires_grad=False)
            elif state[key].is_sparse:  # torch's SGD keeps sparse buffers of sparse gradients
                state[key] = state[key].to_dense()
        return state, tuple(state[self.keys[letter]] for letter in letters(rule)), taken

    def _begun(self, state: dict[str, Any]) -> bool:
        return any(state.get(key) is not None for key in self.keys.values())


def letters(rule: Rule) -> tuple[str, ...]:
    """What the rule calls its slots."""
    return rule.State._fields[1:]  # type: ignore[attr-defined]


def number(group: dict[str, Any], name: str) -> Any:
    """A hyper-parameter as a number; kept a tensor where autograd is to see it."""
    return scalar(group[name], group["differentiable"])


def scalar(value: Any, differentiable: bool) -> Any:
    """The number in a tensor of one element, or the tensor itself, 0-dim, where autograd is to see it."""
    if isinstance(value, Tensor):
        return value.squeeze() if differentiable else value.item()
    return value
