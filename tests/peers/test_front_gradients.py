"""Gradients and parameters as torch lets them be: absent, late, sparse, strided, replaced, moved."""

from __future__ import annotations

import front_pairs as pairs
import pytest
import torch

import mlsys.optim

every_variant = pytest.mark.parametrize(("name", "options"), pairs.VARIANTS, ids=pairs.IDS)
SPARSE = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.2}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "maximize": True, "initial_accumulator_value": 0.1}),
]


@pytest.fixture(params=[True, False], ids=["fast", "readable"])
def fast(request):
    return request.param


@every_variant
def test_absent_and_late_gradients(name, options, fast):
    """A parameter without a gradient is left alone, and counts its own steps once it has one."""
    pattern = [(), (1, 2), (0,), (0, 1, 2, 3, 4), (1, 2), (0,), (), ()]
    ours, theirs = pairs.twins(name, options, fast=fast)
    pairs.run([ours, theirs], len(pattern), skip=lambda step: (3,) if step < 4 else pattern[step])
    pairs.run([ours, theirs], len(pattern), start=50, skip=lambda step: pattern[step - 50])
    pairs.same(ours, theirs)


def test_alternating_sets_of_gradients_keep_their_plans():
    """As where two losses take turns: after the first round nothing is planned anew."""
    ours, theirs = pairs.twins("Adam", {})
    pairs.run([ours, theirs], 4, skip=lambda step: (0, 1) if step % 2 else (3,))
    known = {id(roster) for roster in ours._ledgers[0].rosters}
    pairs.run([ours, theirs], 4, start=4, skip=lambda step: (0, 1) if step % 2 else (3,))
    assert {id(roster) for roster in ours._ledgers[0].rosters} == known
    assert len(known) == 2
    pairs.same(ours, theirs)


def sparse_gradient(shape, seed: int, coalesced: bool) -> torch.Tensor:
    """Rows 0, 2 and 2 again of a table."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(3, *shape[1:], generator=generator, dtype=torch.float64)
    g = torch.sparse_coo_tensor(torch.tensor([[0, 2, 2]]), values, shape, check_invariants=True)
    return g.coalesce() if coalesced else g


# torch's own Adagrad builds sparse tensors without saying whether they are to be checked, and warns of itself.
@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled:UserWarning")
@pytest.mark.parametrize("coalesced", [True, False])
@pytest.mark.parametrize(("name", "options"), SPARSE, ids=str)
def test_row_sparse_gradients(name, options, fast, coalesced):
    """Beside a dense parameter, and with a dense gradient in between."""
    ours, theirs = pairs.twins(name, options, fast=fast, shapes=[(5, 3), (4,), (6,)])
    for step in range(6):
        pairs.give([ours, theirs], step)
        if step != 3:
            for optimizer in (ours, theirs):
                for i in (0, 2):
                    p = pairs.params(optimizer)[i]
                    p.grad = sparse_gradient(p.shape, step, coalesced)
        ours.step()
        # torch cannot add a dense gradient to the sparse buffer that it keeps for sparse ones
        if options.get("momentum") and step == 3:
            for p in pairs.params(theirs):
                if theirs.state[p]["momentum_buffer"].is_sparse:
                    theirs.state[p]["momentum_buffer"] = theirs.state[p]["momentum_buffer"].to_dense()
        theirs.step()
    for p, q in zip(pairs.params(ours), pairs.params(theirs), strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=0)


def test_sparse_rows_without_a_gradient_are_not_touched(fast):
    table = torch.nn.Embedding(50, 4, sparse=True)
    optimizer = mlsys.optim.Adagrad(table.parameters(), lr=0.1, fast=fast)
    before = table.weight.detach().clone()
    table(torch.tensor([3, 7, 7])).sum().backward()
    optimizer.step()
    moved = (table.weight != before).any(dim=1).nonzero().flatten()
    assert moved.tolist() == [3, 7]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Adam", "Adam does not support sparse gradients, please consider SparseAdam instead"),
        ("AdamW", "Adam does not support sparse gradients, please consider SparseAdam instead"),
        ("NAdam", "NAdam does not support sparse gradients"),
        ("RAdam", "RAdam does not support sparse gradients"),
        ("RMSprop", "RMSprop does not support sparse gradients"),
        ("Adadelta", "Adadelta does not support sparse gradients"),
        ("SGD", "weight_decay option is not compatible with sparse gradients"),
        ("Adagrad", "weight_decay option is not compatible with sparse gradients"),
    ],
)
@pytest.mark.parametrize("when", [0, 2], ids=["at first", "midway"])
@pytest.mark.parametrize("groups", [1, 2])
def test_sparse_gradients_are_refused_before_anything_moves(name, words, when, groups, fast):
    options = {"weight_decay": 0.1}
    start = pairs.parameters(0, shapes=[(4,), (5, 3)])
    given = start if groups == 1 else [{"params": [p]} for p in start]
    ours = getattr(mlsys.optim, name)(given, **options, fast=fast)
    pairs.run([ours], when)
    pairs.give([ours], when)
    start[1].grad = sparse_gradient(start[1].shape, 0, True)
    before = [p.detach().clone() for p in start]
    state = {p: {k: v.clone() for k, v in s.items()} for p, s in ours.state.items()}
    with pytest.raises(RuntimeError, match=words):
        ours.step()
    assert all(map(torch.equal, before, start))
    assert set(ours.state) == set(state)
    assert all(torch.equal(v, ours.state[p][k]) for p, s in state.items() for k, v in s.items())
    pairs.run([ours], 1, start=when)  # and it goes on with dense ones
    assert not torch.equal(before[0], start[0])


@pytest.mark.parametrize("name", pairs.NAMES)
def test_gradients_of_other_memory_order(name, fast):
    ours, theirs = pairs.twins(name, {}, fast=fast, shapes=[(4, 6), (2, 3, 4, 5), (8,)])
    for step in range(5):
        pairs.give([ours, theirs], step)
        for optimizer in (ours, theirs):
            a, b, c = pairs.params(optimizer)
            if step:
                a.grad = a.grad.t().contiguous().t()
                b.grad = b.grad.to(memory_format=torch.channels_last)
                c.grad = torch.stack([c.grad, c.grad], 1)[:, 0] if step < 4 else c.grad[:1].expand(8)
            optimizer.step()
    pairs.same(ours, theirs)


@pytest.mark.parametrize("name", ["SGD", "Adagrad", "RMSprop", "Adadelta"])
def test_a_gradient_of_another_dtype_is_rounded_to_the_parameters(name, fast):
    """torch allows it where the parameter's grad_dtype does; Adam of torch's then fails."""
    ours, theirs = pairs.twins(name, {}, torch.float32, fast)
    for step in range(3):
        for optimizer in (ours, theirs):
            for p in pairs.params(optimizer):
                p.grad_dtype = None
        pairs.give([ours, theirs], step)
        for p in pairs.params(ours):
            p.grad = p.grad.double()
        ours.step()
        theirs.step()
    for p, q in zip(pairs.params(ours), pairs.params(theirs), strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", pairs.NAMES)
def test_parameters_in_other_memory_and_odd_ones(name, fast):
    """channels_last and transposed parameters keep their order in the state; one with holes is served too."""
    results = []
    for module in (mlsys.optim, torch.optim):
        a, b, c = pairs.parameters(3, shapes=[(2, 3, 4, 5), (4, 6), (10,)])
        odd = torch.nn.Parameter(c.detach()[::2])
        start = [torch.nn.Parameter(a.detach().to(memory_format=torch.channels_last)), odd]
        start.append(torch.nn.Parameter(b.detach().t()))
        more = {"fast": fast} if module is mlsys.optim else {}
        results.append(getattr(module, name)(start, **more))
    ours, theirs = results
    pairs.run([ours, theirs], 4)
    pairs.same(ours, theirs)
    assert pairs.planned(ours) == [fast, False, fast]
    for state, other in zip(ours.state.values(), theirs.state.values(), strict=True):
        assert all(state[key].stride() == other[key].stride() for key in other)


@pytest.mark.parametrize("name", pairs.NAMES)
def test_parameters_replaced_moved_and_frozen(name, fast):
    ours, theirs = pairs.twins(name, {}, fast=fast)
    pairs.run([ours, theirs], 2)
    for optimizer in (ours, theirs):
        for p in pairs.params(optimizer):
            p.data = p.detach().clone() * 2  # as model.to(...) does: other memory, same parameter
    pairs.run([ours, theirs], 2, start=2)
    for optimizer in (ours, theirs):
        pairs.params(optimizer)[0].requires_grad_(False)  # frozen, but it still has a gradient
    for optimizer in (ours, theirs):
        optimizer.step()
        optimizer.param_groups[0]["params"][1] = torch.nn.Parameter(torch.ones(3, 4, dtype=torch.float64))
    pairs.run([ours, theirs], 2, start=4, skip=lambda step: (0,))
    for p, q in zip(pairs.params(ours), pairs.params(theirs), strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", pairs.NAMES)
def test_half_precision_takes_the_readable_path(name):
    ours, theirs = pairs.twins(name, {"lr": 0.1}, torch.bfloat16)
    pairs.run([ours, theirs], 3)
    assert pairs.planned(ours) == [False] * len(pairs.SHAPES)
    for p, q in zip(pairs.params(ours), pairs.params(theirs), strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=0.05, atol=0.05)


def test_nan_gradients_go_where_torch_lets_them(fast):
    ours, theirs = pairs.twins("Adam", {}, fast=fast)
    pairs.give([ours, theirs], 0)
    for optimizer in (ours, theirs):
        pairs.params(optimizer)[0].grad[2] = float("nan")
        pairs.params(optimizer)[1].grad[0, 0] = float("inf")
        optimizer.step()
    for p, q in zip(pairs.params(ours), pairs.params(theirs), strict=True):
        torch.testing.assert_close(p.detach(), q.detach(), rtol=1e-12, atol=0, equal_nan=True)


def test_autograd_notices_the_step(fast):
    """A backward pass that saved the old values must fail, as it does with torch's optimizers."""
    p = torch.nn.Parameter(torch.ones(3))
    optimizer = mlsys.optim.SGD([p], lr=0.1, fast=fast)
    loss = (p * p).sum()
    p.grad = torch.ones(3)
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
