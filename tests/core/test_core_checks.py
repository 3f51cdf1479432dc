"""Argument checks, seeds, dispatch, decay: small functions, exact words."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from mlsys.core import checks, decay, dispatch, fraction, generator, nonnegative, positive, same_kind, whole

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("check", "value", "error", "words"),
    [
        (positive, 0, ValueError, r"x must be > 0; got 0\."),
        (positive, -2.5, ValueError, r"x must be > 0; got -2\.5"),
        (positive, NAN, ValueError, "x must be finite; got nan"),
        (positive, INF, ValueError, "x must be finite; got inf"),
        (positive, None, TypeError, "x must be a real number; got None of type NoneType"),
        (positive, "0.1", TypeError, "x must be a real number; got '0.1' of type str"),
        (nonnegative, -1e-300, ValueError, "x must be >= 0"),
        (fraction, 1, ValueError, r"x must lie in \[0, 1\); got 1"),
        (fraction, -0.1, ValueError, r"x must lie in \[0, 1\)"),
        (whole, 1.0, TypeError, r"x must be a whole number; got 1\.0"),
        (whole, "3", TypeError, "x must be a whole number; got '3'"),
        (whole, -1, ValueError, "x must be >= 0; got -1"),
    ],
)
def test_checks_name_argument_value_and_remedy(check, value, error, words) -> None:
    with pytest.raises(error, match=words):
        check(x=value)


def test_checks_return_plain_numbers() -> None:
    for value in (positive(x=np.float32(0.5)), nonnegative(x=torch.tensor(0.5)), fraction(x=np.array(0.5))):
        assert type(value) is float
        assert value == 0.5
    assert type(whole(x=np.int64(3))) is int
    assert whole(3, x=3) == 3
    with pytest.raises(ValueError, match="x must be >= 4; got 3"):
        whole(4, x=3)


def test_kind_names_library_and_device() -> None:
    assert checks.kind(np.ones(1)) == checks.kind(np.float32(1)) == "numpy"
    assert checks.kind(torch.ones(1)) == checks.kind(torch.nn.Parameter(torch.ones(1))) == "torch.cpu"
    assert checks.kind(torch.ones(1, device="meta")) == "torch.meta"
    with pytest.raises(TypeError, match=r"expected a numpy array or a torch tensor; got list\. Convert with"):
        checks.kind([1.0])


def test_same_kind_accepts_what_fits() -> None:
    same_kind(w=np.ones((2, 3)), g=np.zeros((2, 3)), r=np.ones((2, 3)))
    same_kind(w=torch.ones(2, dtype=torch.bfloat16), g=torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(
        ValueError, match=r"third and w must agree in shape; third has \(1, 2\), w has \(2,\)"
    ):
        same_kind(w=np.ones(2), g=np.ones(2), third=np.ones((1, 2)))
    with pytest.raises(TypeError, match="w must hold floating-point numbers; got dtype complex128"):
        same_kind(w=np.ones(2, complex))


def test_seeds_give_the_same_numbers_on_every_machine() -> None:
    assert generator(0).integers(1000, size=4).tolist() == [850, 636, 511, 269]
    assert generator(0, "demo", "student-3").integers(1000, size=4).tolist() == SEEDED
    first = {int(generator(seed, *names).integers(2**62)) for seed in (0, 1) for names in NAMES}
    assert len(first) == 2 * len(NAMES)


SEEDED = [720, 582, 693, 350]
NAMES = [(), ("a",), ("b",), ("a", "b"), ("ab",), ("b", "a"), ("",)]


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), (None, TypeError)])
def test_a_seed_is_a_whole_number(seed, error) -> None:
    with pytest.raises(error, match="seed must be"):
        generator(seed)


def test_dispatch_lists_what_there_is() -> None:
    assert dispatch.namespace(np.ones(1)) is np
    assert dispatch.namespace(torch.ones(1)) is torch
    with pytest.raises(
        TypeError, match=r"no array namespace for torch\.meta arrays\. There is one for: numpy, "
    ):
        dispatch.namespace(torch.ones(1, device="meta"))
    with pytest.raises(TypeError, match=r"no fast path for numpy arrays\. There is one for: torch\.cpu, "):
        dispatch.fast_path("numpy")


def test_entries_are_loaded_by_name() -> None:
    assert dispatch.load("math:sqrt")(4.0) == 2.0
    assert dispatch.load("math") is sys.modules["math"]


def test_lifting_rebinds_xp_and_nothing_else() -> None:
    from mlsys.optim.rules.adagrad import body

    lifted = dispatch.lift(body, torch)
    assert dispatch.lift(body, np) is body
    assert dispatch.lift(body, torch) is lifted
    assert lifted.__code__ is body.__code__
    assert body.__globals__["xp"] is np
    assert lifted.__globals__["xp"] is torch
    w, G = lifted(torch.ones(2), torch.full((2,), 3.0), torch.zeros(2), 0.5, 0.0)
    assert w.tolist() == [0.5, 0.5]
    assert G.tolist() == [9, 9]


def test_the_decay_prelude() -> None:
    w, g = decay.body(np.array([2.0]), np.array([3.0]), -1.0, 0.1, 0.5)
    assert (w[0], g[0]) == (1.0, pytest.approx(-3 + 0.2))
