"""Who takes part in the steps of one parameter group, and how many steps each has taken."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import engines
from mlsys.optim.front.engines import Decay, Member

Begun = tuple[int, Any]  # steps taken, and the product of their momenta where the rule has one
_KEPT = 4  # plans of a group for different sets of parameters with gradients, as where two losses alternate


def letters(rule: Rule) -> tuple[str, ...]:
    """What the rule calls its slots."""
    return rule.State._fields[1:]  # type: ignore[attr-defined]


def layouts(grads: Sequence[Any]) -> list[Any]:
    """The layout of each gradient, None where there is none."""
    return [None if g is None else g.layout for g in grads]


def dtype() -> torch.dtype:
    """Of the numbers beside the slots, as in torch: float32 unless the default is float64."""
    return torch.float64 if torch.get_default_dtype() == torch.float64 else torch.float32


class Cohort:
    """Parameters of one group that share device, dtype and step number, and so the coefficients of a step.

    t : steps taken;  product : of NAdam's momenta so far, in the dtype that it is kept in; None for other rules
    plan : the fast path over `served`, or None;  loose : members of the readable path
    """

    def __init__(self, begun: Begun, members: list[Member], rule: Rule, decayed: bool, fast: bool) -> None:
        self.t, self.product = begun
        self.members = members
        self.everyone = np.array([m.place for m in members])
        self.plan: Any = None
        self.served: list[Member] = []
        self.loose = members
        if fast:
            self.plan, self.served, self.loose = engines.plan(rule, members, decayed)
        self.complex = self.plan is not None and members[0].p.is_complex()
        self.places = [m.place for m in self.served]

    def step(self, rule: Rule, grads: Sequence[Any], d: Decay | None, check: Callable) -> bool:
        """One step in place; False if the plan refused and the readable path had to serve.

        check(member, gradient) raises for what neither can take, before this cohort is written.
        """
        hyper, product = rule.hyper, self.product
        if product is not None:  # NumPy rounds it to its own dtype, as torch does
            product = product * hyper.momentum(self.t + 1)
            hyper = hyper._replace(product=float(product))
        c = rule.coefficients(hyper, self.t + 1)
        refused = False
        if self.plan is not None:
            mine = grads if len(self.places) == len(grads) else [grads[i] for i in self.places]
            try:
                self.plan.step([engines.real(g) for g in mine] if self.complex else mine, c, d)
            except (NotImplementedError, TypeError, ValueError):  # nothing was written
                refused = True
                for m in self.members:
                    check(m.p, grads[m.place])
        for m in self.members if refused else self.loose:
            engines.readable(rule, m, grads[m.place], c, d)
        self.t, self.product = self.t + 1, product
        return not refused


class Roster:
    """One set of parameters with gradients, in cohorts, for one body with or without decay."""

    def __init__(self, params: list[Tensor], grads: list[Any], rule: Rule, decayed: bool) -> None:
        self.params, self.kinds = list(params), layouts(grads)
        self.absent = [g is None for g in grads]
        self.body, self.decayed, self.letters = rule.body, decayed, letters(rule)
        self.cohorts: list[Cohort] | None = None
        self.ones: Any = None

    def fits(self, params: list[Tensor], absent: list[bool], rule: Rule, decayed: bool) -> bool:
        """Whether it still describes this step. Identity throughout: == on tensors compares their numbers."""
        return (
            self.absent == absent
            and self.body is rule.body
            and self.decayed == decayed
            and len(self.params) == len(params)
            and all(map(is_, self.params, params))
        )

    def alone(self) -> bool:
        """Whether one call of one plan is all of its step, so that a refusal leaves everything unwritten."""
        return self.cohorts is not None and len(self.cohorts) == 1 and not self.cohorts[0].loose

    def form(self, members: list[Member], begun: list[Begun], rule: Rule, fast: bool) -> None:
        """Sort the members into cohorts and plan each."""
        alike: dict[tuple, list[Member]] = {}
        for m in members:
            alike.setdefault((begun[m.place], m.p.device, m.p.dtype), []).append(m)
        self.cohorts = [Cohort(key[0], alike[key], rule, self.decayed, fast) for key in alike]

    def holds(self, states: Any, keys: Sequence[str], names: Sequence[str]) -> bool:
        """Whether every member's state is still made of the tensors, at the addresses, that were planned."""
        for m in (m for cohort in self.cohorts or () for m in cohort.members):
            state = states.get(m.p, {})
            slots = tuple(state.get(key) for key in keys)
            if not all(map(is_, slots, m.slots)) or tuple(s.data_ptr() for s in m.slots) != m.addresses:
                return False
            if not all(map(is_, map(state.get, names), m.numbers)):
                return False
        return True

    def recount(self, begun: list[Begun]) -> bool:
        """Take up the step numbers after other rosters had their turns; False if a cohort has split."""
        for cohort in self.cohorts or ():
            numbers = {begun[m.place] for m in cohort.members}
            if len(numbers) > 1:
                return False
            ((cohort.t, cohort.product),) = numbers
        return True


class Ledger:
    """The rosters of a group, the latest first, and the numbers that all of them advance.

    numbers : their names in a parameter's state and how they start: "step", and NAdam's "mu_product"
    Each parameter's state["step"] is its own element, a 0-dim view, of the one vector of counts: torch sees a
    tensor per parameter, and a step advances all of them by one addition. Where a rule does not count
    (torch's SGD), a parameter's count is 1 or more once it has its buffer, and lives here alone.
    """

    def __init__(self, params: list[Tensor], numbers: dict[str, float]) -> None:
        self.params = list(params)
        self.rosters: list[Roster] = []
        self.latest: Roster | None = None
        self.names = tuple(numbers)
        starts = torch.tensor([[start] for start in numbers.values()] or [[0.0]], dtype=dtype(), device="cpu")
        self._rows = starts.repeat(1, len(params)).unbind()
        # The same memory: NumPy adds to it in a tenth of torch's time.
        self._counts = self._rows[0].numpy()
        self._products = self._rows[1].numpy() if len(self._rows) > 1 else None
        self.on_cuda = any(p.is_cuda for p in params)

    def keeps(self, params: list[Tensor]) -> bool:
        """Whether the group still has the same parameters in the same order."""
        return len(self.params) == len(params) and all(map(is_, self.params, params))

    def find(self, params: list[Tensor], absent: list[bool], rule: Rule, decayed: bool) -> Roster | None:
        """The roster that fits, now the first; None if there is none."""
        for roster in self.rosters:
            if roster.fits(params, absent, rule, decayed):
                if roster is not self.latest:  # others had their turns since
                    self.rosters.remove(roster)
                    if not roster.recount(self._begun()):
                        return None
                    self.rosters.insert(0, roster)
                return roster
        return None

    def look_again(self, states: Any, names: Callable[[Roster], Sequence[str]]) -> None:
        """Keep the rosters whose members' states are as they left them; an edited count is taken up."""
        begun = self._begun()
        self.rosters = [
            roster
            for roster in self.rosters
            if roster.holds(states, names(roster), self.names) and roster.recount(begun)
        ]

    def admit(
        self, roster: Roster, open_state: Callable[[Tensor, Rule], tuple], rule: Rule, fast: bool
    ) -> None:
        """Open the state of every parameter that has a gradient, and plan.

        open_state(p, rule) -> (its state dict, its slots, its numbers: steps taken …)
        """
        members = []
        for place, (p, kind) in enumerate(zip(roster.params, roster.kinds, strict=True)):
            if kind is not None:
                state, slots, numbers = open_state(p, rule)
                self._share(place, state, numbers)
                where = tuple(slot.data_ptr() for slot in slots)
                mine = tuple(state[name] for name in self.names)
                members.append(Member(place, p, slots, where, mine, kind is torch.strided))
        roster.form(members, self._begun(), rule, fast)
        present = [float(not missing) for missing in roster.absent]
        roster.ones = 1.0 if all(present) else np.array(present, self._counts.dtype)
        self.rosters = [roster, *self.rosters[: _KEPT - 1]]

    def _begun(self) -> list[Begun]:
        # Without a name for the count, all that matters is whether a step was the first.
        most = math.inf if self.names else 1
        products = itertools.repeat(None) if self._products is None else self._products
        return [(int(min(n, most)), p) for n, p in zip(self._counts.tolist(), products, strict=False)]

    def _share(self, place: int, state: dict[str, Any], numbers: Sequence[float]) -> None:
        """Make the state's numbers elements of ours, as they still are unless the state was loaded or replaced."""
        for row, name, number in zip(self._rows, self.names or ("",), numbers, strict=True):
            own, there = row.data_ptr() + place * row.element_size(), state.get(name)
            if not (isinstance(there, Tensor) and there.data_ptr() == own):
                mine = row[place]
                mine.fill_(number)
                if name:
                    state[name] = mine

    def step(
        self, roster: Roster, rule: Rule, grads: Sequence[Any], d: Decay | None, check: Callable
    ) -> None:
        """One step of every cohort, in place."""
        served = [cohort.step(rule, grads, d, check) for cohort in roster.cohorts or ()]
        self._counts += roster.ones
        if self._products is not None:
            for cohort in roster.cohorts or ():
                self._products[cohort.everyone] = cohort.product
        self.latest = roster
        if not all(served):  # look again at these tensors before the next step
            self.rosters.remove(roster)
