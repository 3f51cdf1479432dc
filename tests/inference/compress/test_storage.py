"""Bytes that are really packed, and multiply-adds that are really done."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mlsys.core import generator
from mlsys.inference.compress.pruning import magnitude_masks, masked, two_four_mask
from mlsys.inference.compress.quantised import quantise_model
from mlsys.inference.compress.storage import FORMS, nbytes, pack, stored_bytes, unpack, work

quick = settings(max_examples=40, deadline=None, derandomize=True)


@quick
@given(
    st.integers(0, 2**31),
    st.sampled_from([(3, 8), (1, 4), (5, 4, 3, 3), (7, 300)]),
    st.sampled_from([0.0, 0.5, 0.97, 1.0]),
)
def test_every_form_gives_back_what_it_packed(seed: int, shape: tuple[int, ...], sparsity: float) -> None:
    rng = generator(seed, "storage")
    w = rng.standard_normal(shape).astype(np.float32) * (rng.random(shape) >= sparsity)
    for form in ("dense", "bitmap", "csr"):
        assert np.array_equal(unpack(form, FORMS[form](w), shape), w)
    w *= two_four_mask(torch.from_numpy(w)).numpy()
    assert np.array_equal(unpack("two-four", FORMS["two-four"](w), shape), w)
    for bits in (2, 4):
        q = rng.integers(1 - 2 ** (bits - 1), 2 ** (bits - 1), shape, np.int8)
        packed = FORMS[f"{bits}-bit"](q)
        assert np.array_equal(unpack(f"{bits}-bit", packed, shape), q)
        assert nbytes(packed) == -(-q.size * bits // 8)


@pytest.mark.parametrize(
    ("sparsity", "form", "bytes_a_weight"),
    [(0.0, "dense", 4.0), (0.5, "bitmap", 4 * 0.5 + 1 / 8), (0.99, "csr", 0.01 * (4 + 1) + 2 / 200)],
)
def test_the_smallest_form_is_chosen_and_counted_by_its_formula(
    sparsity: float, form: str, bytes_a_weight: float
) -> None:
    w = generator(0).standard_normal((100, 200)).astype(np.float32)
    w.flat[generator(1).permutation(w.size)[: round(sparsity * w.size)]] = 0
    best, packed = pack(torch.from_numpy(w))
    assert best == form
    assert nbytes(packed) == pytest.approx(bytes_a_weight * w.size, rel=1e-6)
    assert nbytes(packed) == min(nbytes(FORMS[f](w)) for f in ("dense", "bitmap", "csr"))


def test_two_four_takes_two_bits_a_kept_weight_less_than_a_bitmap_of_four() -> None:
    w = torch.tensor(generator(0).standard_normal((64, 64)), dtype=torch.float32)
    w = w * two_four_mask(w)
    form, packed = pack(w)
    # 2 x 2 bits a four are as many as the bitmap's 4: equal, and the bitmap comes first.
    assert form == "bitmap"
    assert nbytes(packed) == nbytes(FORMS["two-four"](w.numpy())) == 64 * 64 * (4 / 2 + 1 / 8)


@pytest.mark.parametrize(
    ("largest", "form"),
    [(1, "2-bit"), (2, "4-bit"), (7, "4-bit"), (8, "dense"), (127, "dense"), (-128, "dense")],
)
def test_whole_numbers_are_packed_as_narrow_as_they_allow(largest: int, form: str) -> None:
    q = np.array([[largest, 0, -1, 1, 0]], np.int8)
    best, packed = pack(torch.from_numpy(q))
    assert best == form
    assert np.array_equal(unpack(best, packed, q.shape), q)


def net() -> nn.Sequential:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(2, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(36, 5))


def test_a_model_s_bytes() -> None:
    weights, biases = 2 * 4 * 9 + 36 * 5, 4 + 5
    assert stored_bytes(net()) == 4 * (weights + biases)
    eight = quantise_model(net(), "static", [torch.ones(3, 2, 7, 7)])
    scales, grids = 4 * (4 + 5), 2 * (4 + 4)
    assert stored_bytes(eight) == weights + 4 * biases + scales + grids
    per_tensor = quantise_model(net(), "dynamic", per_channel=False)
    assert stored_bytes(per_tensor) == weights + 4 * biases + 4 * 2
    four = quantise_model(net(), "weight-only", per_channel=False, bits=4)
    assert stored_bytes(four) == weights // 2 + 4 * biases + 4 * 2


def test_multiply_adds_are_torch_s_count_and_those_of_nonzero_weights() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    x = torch.ones(1, 2, 7, 7)
    with FlopCounterMode(display=False) as counter:
        net()(x)
    whole = work(net(), x)
    assert whole.multiply_adds == whole.nonzero == counter.get_total_flops() // 2
    assert work(net(), torch.ones(5, 2, 7, 7)) == whole  # of one example, whatever the batch
    masks = magnitude_masks(net(), 0.5, "layer")
    half = work(masked(net(), masks), x)
    assert half == (whole.multiply_adds, whole.multiply_adds // 2)
    assert work(quantise_model(net(), "dynamic"), x).multiply_adds == whole.multiply_adds
