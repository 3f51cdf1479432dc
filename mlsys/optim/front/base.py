"""A Rule behind `torch.optim.Optimizer`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.optim import optimizer as torchs

from mlsys.core.rule import Rule
from mlsys.optim.front import words
from mlsys.optim.front.engines import Decay
from mlsys.optim.front.flat import Flat
from mlsys.optim.front.ledger import Ledger, Roster, layouts, letters


class Turn(NamedTuple):
    """What one group will do in this step, checked and not yet begun."""

    group: dict[str, Any]
    ledger: Ledger
    roster: Roster
    rule: Rule
    grads: list[Any]
    d: Decay | None


def watched(step: Callable[..., Any]) -> Callable[..., Any]:
    """torch's wrapping of a step, hooks and a name for its profiler, taken where there is one to hear of it.

    The profiler's record costs more than a small network's step, and torch opens it whether one runs or not.
    """
    whole = torchs.Optimizer.profile_hook_step(step)

    @functools.wraps(step)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        heard = (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or torchs._global_optimizer_pre_hooks
            or torchs._global_optimizer_post_hooks
            or torch.autograd._profiler_enabled()
        )
        return (whole if heard else step)(self, *args, **kwargs)

    wrapper.hooked = True  # type: ignore[attr-defined]  # so torch does not wrap it again
    return wrapper


class Front(torch.optim.Optimizer):
    """What the rules share: groups, gradients, state, and the choice of engine.

    A subclass gives `keys` (the rule's letters to torch's names in the state), `rule(group)`, `check(group)`,
    and `numbers` (what else the state holds: torch's names, and how they start).
    Between steps torch's semantics hold for parameters, gradients and groups, which are looked at anew each
    step. State is looked at again after `optimizer.state` has been read (also by state_dict, pickle and
    deepcopy): so change it through that attribute, not through an inner dict kept from before a step.
    """

    keys: ClassVar[dict[str, str]]
    numbers: ClassVar[dict[str, float]] = {"step": 0.0}
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

    @watched
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
                    ledger.look_again(self.__dict__["state"], self._names)
                self._stale = False
            turns = [self._turn(i, group) for i, group in enumerate(self.param_groups)]
            for turn in turns:
                self._take(turn)
        return loss

    def _turn(self, index: int, group: dict[str, Any]) -> Turn:
        """Look at one group, and raise for what cannot be served."""
        params = group["params"]
        grads = [p.grad for p in params]
        absent = [g is None for g in grads]
        rule, d = self.rule(group), self._decay(group)
        while len(self._ledgers) <= index:
            self._ledgers.append(Ledger([], self.numbers))
        ledger = self._ledgers[index]
        words.not_served(group, type(self).__name__, ledger.on_cuda)
        roster = ledger.find(params, absent, rule, d is not None)
        # Where one plan is the whole step, it looks at the gradients itself and refuses before it writes.
        several = roster is not None and (len(self.param_groups) > 1 or not roster.alone())
        if roster is None or (several and roster.kinds != layouts(grads)):
            if not ledger.keeps(params):
                ledger = self._ledgers[index] = Ledger(params, self.numbers)
                words.not_served(group, type(self).__name__, ledger.on_cuda)
            roster = Roster(params, grads, rule, d is not None)
            for p, g in zip(params, grads, strict=True):
                if g is not None:
                    self._check(p, g, group, rule)
        return Turn(group, ledger, roster, rule, grads, d)

    def _take(self, turn: Turn) -> None:
        """Begin or go on with what was looked at: from here on parameters and state are written."""
        group, ledger, roster, rule, grads, d = turn
        if roster.cohorts is None:
            fast = self.fast and not self.defaults["differentiable"]
            present = [p for p, kind in zip(roster.params, roster.kinds, strict=True) if kind is not None]
            # Autograd would take views of one memory for one another.
            flat = Flat(p for p in present if fast and not self.__dict__["state"].get(p))
            ledger.admit(roster, functools.partial(self._open, flat=flat), rule, fast)
        ledger.step(roster, rule, grads, d, lambda p, g: self._check(p, g, group, rule))

    def _decay(self, group: dict[str, Any]) -> Decay | None:
        """(sign, lam, keep) of the prelude, None where it would do nothing."""
        lam, keep = number(group, "weight_decay"), 1.0
        if group.get("decoupled_weight_decay"):
            lam, keep = 0.0, 1 - number(group, "lr") * lam
        d = (-1.0 if group["maximize"] else 1.0, lam, keep)
        return None if d == (1.0, 0.0, 1.0) else d

    def _check(self, p: Tensor, g: Tensor, group: dict[str, Any], rule: Rule) -> None:
        """Raise for a gradient or a state that this rule cannot use."""
        words.gradient(p, g, group, self.no_sparse, type(self).__name__)
        state = self.__dict__["state"].get(p) or {}
        wanted = [self.keys[letter] for letter in letters(rule)]
        if state and self.numbers:
            words.complete(p, state, [*self.numbers, *wanted])
        for key in wanted:
            if state.get(key) is not None:
                words.agrees(f"state[{key!r}]", state[key], p)

    def _names(self, roster: Roster) -> list[str]:
        return [self.keys[letter] for letter in roster.letters]

    def _open(
        self, p: Tensor, rule: Rule, flat: Flat
    ) -> tuple[dict[str, Any], tuple[Tensor, ...], list[float]]:
        """(state, slots, numbers) of p, opened if it has none yet, in the room that `flat` has for it."""
        states = self.__dict__["state"]
        # torch's plain SGD leaves no trace
        state = states.setdefault(p, {}) if rule.fill or self.numbers else {}
        numbers = [float(state.setdefault(name, torch.tensor(start))) for name, start in self.numbers.items()]
        numbers = numbers or [float(self._begun(state))]
        for letter, fill in zip(letters(rule), rule.fill, strict=True):
            key = self.keys[letter]
            if state.get(key) is None:
                value = complex(fill, fill) if p.is_complex() else fill
                state[key] = flat.like(p, letter, value)
            elif state[key].is_sparse:  # torch's SGD keeps sparse buffers of sparse gradients
                state[key] = state[key].to_dense()
        return state, tuple(state[self.keys[letter]] for letter in letters(rule)), numbers

    def _begun(self, state: dict[str, Any]) -> bool:
        return any(state.get(key) is not None for key in self.keys.values())


def number(group: dict[str, Any], name: str) -> Any:
    """A hyper-parameter as a number; kept a tensor where autograd is to see it."""
    return scalar(group[name], group["differentiable"])


def scalar(value: Any, differentiable: bool) -> Any:
    """The number in a tensor of one element, or the tensor itself, 0-dim, where autograd is to see it."""
    if isinstance(value, Tensor):
        return value.squeeze() if differentiable else value.item()
    return value
