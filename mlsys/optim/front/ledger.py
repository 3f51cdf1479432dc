"""Who takes part in the steps of one parameter group, and how many steps each has taken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from typing import Any

import torch
from torch import Tensor

from mlsys.core.rule import Rule
from mlsys.optim.front import engines
from mlsys.optim.front.engines import Decay, Member

_address = Tensor.data_ptr
_KEPT = 4  # plans of a group for different sets of parameters with gradients, as where two losses alternate


class Cohort:
    """Parameters of one group that share device, dtype and step number, and so the coefficients of a step.

    t : steps taken;  plan : the fast path over `served`, or None;  loose : members of the readable path
    """

    def __init__(self, t: int, members: list[Member], rule: Rule, decayed: bool, fast: bool) -> None:
        self.t, self.members = t, members
        self.plan: Any = None
        self.served: list[Member] = []
        self.loose = members
        if fast:
            self.plan, self.served, self.loose = engines.plan(rule, members, decayed)
        self.complex = self.plan is not None and members[0].p.is_complex()
        self.places = [m.place for m in self.served]

    def step(self, rule: Rule, grads: Sequence[Any], d: Decay | None) -> bool:
        """One step in place; False if the plan refused a gradient and the readable path had to serve."""
        c = rule.coefficients(rule.hyper, self.t + 1)
        self.t += 1
        refused = False
        if self.plan is not None:
            mine = grads if len(self.places) == len(grads) else [grads[i] for i in self.places]
            try:
                self.plan.step([engines.real(g) for g in mine] if self.complex else mine, c, d)
            except NotImplementedError:  # nothing was written
                refused = True
        for member in self.members if refused else self.loose:
            engines.readable(rule, member, grads[member.place], c, d)
        return not refused


class Roster:
    """One set of parameters with gradients, in cohorts, for one body with or without decay."""

    def __init__(self, params: list[Tensor], kinds: list[Any], rule: Rule, decayed: bool) -> None:
        self.params, self.kinds = params, kinds
        self.body, self.decayed = rule.body, decayed
        self.cohorts: list[Cohort] = []
        self.served: list[Tensor] = []
        self.addresses: list[int] = []
        self.ones: Any = None

    def fits(self, params: list[Tensor], kinds: list[Any], rule: Rule, decayed: bool) -> bool:
        """Whether it still describes this step. Identity throughout: == on tensors compares their numbers."""
        return (
            self.kinds == kinds
            and self.body is rule.body
            and self.decayed == decayed
            and len(self.params) == len(params)
            and all(map(is_, self.params, params))
            and list(map(_address, self.served)) == self.addresses
        )

    def form(self, members: list[Member], counts: list[int], rule: Rule, fast: bool) -> None:
        """Sort the members into cohorts and plan each."""
        alike: dict[tuple, list[Member]] = {}
        for m in members:
            alike.setdefault((counts[m.place], m.p.device, m.p.dtype), []).append(m)
        self.cohorts = [Cohort(key[0], alike[key], rule, self.decayed, fast) for key in alike]
        self.served = [m.p for cohort in self.cohorts for m in cohort.served]
        self.addresses = list(map(_address, self.served))

    def recount(self, counts: list[int]) -> bool:
        """Take up the step numbers after other rosters had their turns; False if a cohort has split."""
        for cohort in self.cohorts:
            numbers = {counts[m.place] for m in cohort.members}
            if len(numbers) > 1:
                return False
            (cohort.t,) = numbers
        return True


class Ledger:
    """The rosters of a group, the latest first, and the step counts that all of them advance.

    Each parameter's state["step"] is its own element, a 0-dim view, of the one vector `counts`: torch sees a
    tensor per parameter, and a step advances all of them by one addition. Where a rule does not count
    (torch's SGD), a parameter's count is 1 once it has its buffer, and lives here alone.
    """

    def __init__(self, params: list[Tensor], counted: bool) -> None:
        self.params = list(params)
        self.rosters: list[Roster] = []
        double = counted and torch.get_default_dtype() == torch.float64
        self.counts = torch.zeros(len(params), dtype=torch.float64 if double else torch.float32)
        self.counted = counted
        self.on_cuda = any(p.is_cuda for p in params)

    def keeps(self, params: list[Tensor]) -> bool:
        """Whether the group still has the same parameters in the same order."""
        return len(self.params) == len(params) and all(map(is_, self.params, params))

    def find(self, params: list[Tensor], kinds: list[Any], rule: Rule, decayed: bool) -> Roster | None:
        """The roster that fits, now the first; None if there is none."""
        for i, roster in enumerate(self.rosters):
            if roster.fits(params, kinds, rule, decayed):
                if i:
                    self.rosters.insert(0, self.rosters.pop(i))
                    if not roster.recount([int(n) for n in self.counts.tolist()]):
                        self.rosters.remove(roster)
                        return None
                return roster
        return None

    def admit(
        self, roster: Roster, open_state: Callable[[Tensor, Rule], tuple], rule: Rule, fast: bool
    ) -> Roster:
        """Open the state of every parameter that has a gradient, and plan.

        open_state(p, rule) -> (its state dict, its slots, steps it has taken)
        """
        members = []
        for place, (p, kind) in enumerate(zip(roster.params, roster.kinds, strict=True)):
            if kind is not None:
                state, slots, taken = open_state(p, rule)
                members.append(Member(place, p, slots, kind is torch.strided))
                self._count(place, state, taken)
        roster.form(members, [int(n) for n in self.counts.tolist()], rule, fast)
        everyone = len(members) == len(roster.params)
        present = [float(kind is not None) for kind in roster.kinds]
        roster.ones = 1.0 if everyone else torch.tensor(present, dtype=self.counts.dtype)
        self.rosters = [roster, *self.rosters[: _KEPT - 1]]
        return roster

    def _count(self, place: int, state: dict[str, Any], taken: float) -> None:
        own = self.counts.data_ptr() + place * self.counts.element_size()
        step = state.get("step")
        if not (isinstance(step, Tensor) and step.data_ptr() == own):
            mine = self.counts[place]
            mine.fill_(taken)
            if self.counted:
                state["step"] = mine

    def step(self, roster: Roster, rule: Rule, grads: Sequence[Any], d: Decay | None) -> None:
        """One step of every cohort, in place."""
        served = [cohort.step(rule, grads, d) for cohort in roster.cohorts]
        self.counts.add_(roster.ones)
        if not all(served):  # look again at these tensors before the next step
            self.rosters.remove(roster)
