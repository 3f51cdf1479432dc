"""What a plan cannot take it refuses by name, and writes nothing."""

from __future__ import annotations

import pytest
import torch
from kernel_cases import RULES, hostile

from mlsys.kernels.cpu import Plan

BODY = RULES["momentum"].body
C = (0.1, 0.9, 1.0)


def refused(params, slots, match, body=BODY):
    with pytest.raises(NotImplementedError, match=match):
        Plan(body, params, slots)


def test_parameters_and_slots():
    x = torch.zeros(6)
    refused([], [], "needs parameters")
    refused([x.half()], [(x.half(),)], "float16")
    refused([x.to(torch.complex64)], [(x,)], "complex64")
    refused([x], [(x.double(),)], r"slots\[0\]\[0\] is torch.float64")
    refused([x, x.double()], [(torch.zeros(6),), (torch.zeros(6).double(),)], r"params\[1\] is torch.float64")
    refused([torch.zeros(12)[::2]], [(torch.zeros(12)[::2],)], "holes or overlaps")
    refused([torch.zeros(1).expand(6)], [(x,)], "holes or overlaps")
    refused([torch.zeros(2, 3)], [(torch.zeros(3, 2).t(),)], "ordered otherwise")
    refused([x], [(torch.zeros(7),)], r"slots\[0\]\[0\] has strides")
    refused([x, torch.zeros(6)], [(torch.zeros(6),), ()], "same number of slots")
    refused([x.to_sparse()], [(torch.zeros(6),)], "not plain memory")
    refused([x.to("meta")], [(x,)], "on meta")


def test_shared_memory():
    x = torch.zeros(12)
    refused([x, x], [(torch.zeros(12),), (torch.zeros(12),)], "share memory")
    refused([x[:8], x[4:]], [(torch.zeros(8),), (torch.zeros(8),)], "share memory")
    refused([x], [(x,)], "share memory")
    Plan(BODY, [x[:6], x[6:]], [(torch.zeros(6),), (torch.zeros(6),)])  # side by side is well


def test_subclasses():
    class Logged(torch.Tensor):
        pass

    refused([torch.zeros(3).as_subclass(Logged)], [(torch.zeros(3),)], "Logged")


def test_bodies():
    w, u = torch.zeros(3), torch.zeros(3)
    k = 2

    def closure(w, g, u):
        return w - k * g, u

    refused([w], [(u,)], "module-level", closure)
    refused([w], [(u,)], "module-level", lambda x, g, u: (x, u))
    refused([w], [(u, u.clone())], "2 slots", RULES["sgd"].body)


def two():
    params = [hostile((4, 3), torch.float32, 0), hostile((5,), torch.float32, 1)]
    slots = [(torch.zeros(4, 3),), (torch.zeros(5),)]
    return params, slots, Plan(BODY, params, slots)


@pytest.mark.parametrize(
    ("bad", "error", "match"),
    [
        (torch.zeros(5).double(), TypeError, r"grads\[1\] is torch.float64"),
        (torch.zeros(5).to_sparse(), TypeError, r"grads\[1\] must be a dense"),
        (torch.zeros(6), ValueError, r"grads\[1\] has shape \(6,\)"),
        (torch.zeros(5, device="meta"), TypeError, "meta"),
        (None, TypeError, "NoneType"),
    ],
)
def test_gradients(bad, error, match):
    params, slots, plan = two()
    copies = [x.clone() for x in (*params, *slots[0], *slots[1])]
    with pytest.raises(error, match=match):
        plan.step([torch.ones(4, 3), bad], C)
    with pytest.raises(ValueError, match="one gradient a parameter"):
        plan.step([torch.ones(4, 3)], C)
    assert all(map(torch.equal, copies, (*params, *slots[0], *slots[1])))


@pytest.mark.parametrize(("c", "d"), [((0.1, 0.9), None), (C, (1.0, 0.0, 1.0)), ((*C, 1.0), None)])
def test_coefficients(c, d):
    params, slots, plan = two()
    copies = [x.clone() for x in (*params, *slots[0], *slots[1])]
    with pytest.raises(ValueError, match="c must hold 3 numbers"):
        plan.step([torch.ones(4, 3), torch.ones(5)], c, d)
    assert all(map(torch.equal, copies, (*params, *slots[0], *slots[1])))


def test_parameters_whose_memory_moved():
    """model.to(...) gives a parameter other memory and leaves it the same object."""
    params, slots, plan = two()
    old, new = params[1].data, torch.full((5,), 7.0)
    kept = old.clone()
    params[1].data = new
    plan.step([torch.ones(4, 3), torch.ones(5)], C)
    assert torch.equal(new, torch.full((5,), 7.0) - torch.tensor(0.1))
    assert torch.equal(old, kept)
    params[1].data = torch.zeros(10)[::2]
    copies = [x.clone() for x in (*params, *slots[0], *slots[1])]
    with pytest.raises(NotImplementedError, match=r"params\[1\] has strides"):
        plan.step([torch.ones(4, 3), torch.ones(5)], C)
    params[1].data = torch.zeros(5, dtype=torch.float64)
    with pytest.raises((NotImplementedError, TypeError), match="float64"):
        plan.step([torch.ones(4, 3), torch.ones(5)], C)
    params[1].data = copies[1]
    assert all(map(torch.equal, copies, (*params, *slots[0], *slots[1])))


def test_backward_notices_the_write():
    w = torch.nn.Parameter(torch.ones(3))
    loss = (w * w).sum()
    Plan(RULES["sgd"].body, [w], [()]).step([torch.ones(3)], (0.1,))
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
