"""The two ways to run a rule's body on torch tensors in place: readable, and fast where there is a plan."""

from __future__ import annotations

import functools
import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor

from mlsys.core import decay
from mlsys.core.dispatch import fast_path, lift
from mlsys.core.rule import Rule

Decay = tuple[float, float, float]
_PLAIN = (Tensor, torch.nn.Parameter)  # subclasses may hold no memory of their own


class Member(NamedTuple):
    """A parameter that takes part in a step: its place in the group, and itself.

    slots, addresses : its state in the rule's order, and where that lies
    numbers : its own elements of what the ledger counts
    dense : whether its gradient is, in the roster that it is a member of
    """

    place: int
    p: Tensor
    slots: tuple[Tensor, ...]
    addresses: tuple[int, ...]
    numbers: tuple[Tensor, ...]
    dense: bool


def real(tensor: Tensor) -> Tensor:
    """The tensor, its complex numbers seen as pairs of real ones in the same memory."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def readable(rule: Rule, member: Member, g: Tensor, c: tuple[float, ...], d: Decay | None) -> None:
    """The body itself, applied to whole tensors by torch; what it returns is copied into their places."""
    p, slots = member.p, member.slots
    if g.is_sparse and rule.sparse:
        return _rows(rule, member, g, c, d)
    w, g = real(p), real((g.to_dense() if g.is_sparse else g).to(p.dtype))
    places = [w, *(real(slot) for slot in slots)]
    # Where autograd sees the step (differentiable=True), what it saves must not be overwritten below.
    w, *before = [place.clone() for place in places] if torch.is_grad_enabled() else places
    if d:
        w, g = decay.body(w, g, *d)
    for place, new in zip(places, lift(rule.body, torch)(w, g, *before, *c), strict=True):
        place.copy_(new)
    return None


def _rows(rule: Rule, member: Member, g: Tensor, c: tuple[float, ...], d: Decay | None) -> None:
    """The body applied to the rows that have a gradient; weight decay has been refused."""
    g = g.coalesce()  # the update is not linear, so equal rows are added up first
    rows, values = tuple(g.indices()), g.values().to(member.p.dtype)
    values = values if d is None else d[0] * values
    before = [tensor[rows] for tensor in (member.p, *member.slots)]
    w, *after = (real(part) for part in before)
    news = lift(rule.body, torch)(w, real(values), *after, *c)
    for tensor, part, new in zip((member.p, *member.slots), before, news, strict=True):
        tensor[rows] = torch.view_as_complex(new) if part.is_complex() else new


@functools.cache
def _plan_class(kind: str) -> Any:
    """The fast path's class for tensors of this kind, None where there is none."""
    try:
        return fast_path(kind)
    except TypeError:  # no engine for this device: the readable path is the only one
        return None
    except ImportError as error:
        say_once(str(error))
        return None


@functools.cache
def say_once(reason: str) -> None:
    """The one warning that steps are slower than they could be."""
    warnings.warn(
        f"mlsys.optim runs its readable path: {reason}. Install it for the fast path, or pass fast=False.",
        stacklevel=3,
    )


def plan(rule: Rule, members: list[Member], decayed: bool) -> tuple[Any, list[Member], list[Member]]:
    """(plan or None, the members it serves, the members left to the readable path)."""
    able = [m for m in members if m.dense and type(m.p) in _PLAIN]
    made = _try(rule, able, decayed)
    if made is None and len(able) > 1:  # one odd parameter must not slow all others
        able = [m for m in able if _try(rule, [m], decayed) is not None]
        made = _try(rule, able, decayed)
    if made is None:
        return None, [], members
    served = {m.place for m in able}
    return made, able, [m for m in members if m.place not in served]


def _try(rule: Rule, members: list[Member], decayed: bool) -> Any:
    if not members:
        return None
    cls = _plan_class(f"torch.{members[0].p.device.type}")
    if cls is None:
        return None
    params = [real(m.p) for m in members]
    slots = [tuple(real(slot) for slot in m.slots) for m in members]
    try:
        return cls(rule.body, params, slots, decayed)
    except NotImplementedError as error:
        if isinstance(error.__cause__, ImportError):
            say_once(str(error))
        return None
