"""Codes of 16 and of 8 bits: what they round to, that they are unbiased, and what a spoiled number spoils."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from mlsys.core import lowbit as codes
from mlsys.core import word
from mlsys.optim import adam, adamw, amsgrad, lowbit

EIGHT = {  # offset, value, code, steps below the largest
    "signed": (codes.signed_offset, codes.signed_value, codes.signed_code, 127),
    "squares": (codes.squares_offset, codes.squares_value, codes.squares_code, 255),
}
every_eight = pytest.mark.parametrize("kind", EIGHT)


def hostile(count: int, seed: int, decades: float = 9) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(count) * 10.0 ** rng.uniform(-decades, decades, count)).astype(np.float32)


def coded(kind: str, x: np.ndarray, cut: np.ndarray | int, even: int) -> tuple[np.ndarray, np.ndarray]:
    """The values that the codes of x, one block, stand for; and the distance to the next one up."""
    offset_of, value, code, _ = EIGHT[kind]
    offset = offset_of(word.bits(np.abs(x)).max(keepdims=True))
    n = code(x, offset, cut, even)
    assert n.min() >= 0
    assert n.max() <= 255
    size = n & 0x7F if kind == "signed" else n
    step = word.real((size + 1 << 20) + word.bits(offset)) - word.real((size << 20) + word.bits(offset))
    return value(n, offset), step


def test_bfloat16_to_nearest_is_torch_s_own():
    x = np.concatenate([hostile(100_000, 0, 36), np.float32([0, -0.0, np.inf, -np.inf, 1e-45, 3.4e38])])
    ties = word.real((word.bits(x) & ~0xFFFF) | 0x8000)
    for numbers in (x, ties[np.isfinite(ties)]):
        mine = codes.bfloat16_code(numbers, 0x7FFF, 1).astype(np.int16)
        theirs = torch.from_numpy(numbers).to(torch.bfloat16).view(torch.int16).numpy()
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("bits", [0x7FC00000, 0x7F800001, 0x7FFFFFFF, -1, -0x400000])
@pytest.mark.parametrize("cut", [0, 0xFFFF])
def test_bfloat16_keeps_every_nan(bits, cut):
    code = codes.bfloat16_code(word.real(np.array([bits], np.int32)), cut, 0)
    assert np.isnan(codes.bfloat16_value(code)).all()


@pytest.mark.parametrize("cut", [0, 1, 0xFFFF])
def test_bfloat16_leaves_its_own_numbers_alone(cut):
    every = np.arange(-(2**15), 2**15, dtype=np.int32)
    values = codes.bfloat16_value(every)
    kept = codes.bfloat16_code(values, cut, 0)[~np.isnan(values)]
    np.testing.assert_array_equal(kept, every[~np.isnan(values)])


@every_eight
@pytest.mark.parametrize("largest", [1e-30, 1e-8, 1.0, 3.1, 1e20])
def test_eight_bits_leave_their_own_numbers_alone(kind, largest):
    offset_of, value, code, top = EIGHT[kind]
    offset = offset_of(word.bits(np.float32([largest])))
    every = np.arange(1, top + 1, dtype=np.int32)
    every = np.concatenate([every, every | 0x80]) if kind == "signed" else every
    values = value(every, offset)
    for cut in (8, 0x7FFFF, 0xFFFF7):  # but for float32's own rounding of value + offset
        np.testing.assert_array_equal(code(values, offset, cut, 0), every)


@every_eight
def test_the_largest_and_all_down_to_the_smallest_step_have_a_code(kind):
    """127 steps of an eighth of a factor of two reach down 2**-15.4 or further, and below that an eighth of it is
    the step; 255 reach down 2**-31.4. Above, neighbours differ by an eighth at most."""
    offset_of, value, _, top = EIGHT[kind]
    rng = np.random.default_rng(0)
    largest = (10.0 ** rng.uniform(-20, 20, 2000)).astype(np.float32)
    offset = offset_of(word.bits(largest))
    assert (value(np.full(2000, top, np.int32), offset) >= largest * (1 - 2**-15)).all()
    reach = {"signed": 15.4, "squares": 31.4}[kind]
    assert (offset <= largest * 2.0**-reach).all()
    x = np.abs(rng.standard_normal(256).astype(np.float32)) + np.float32(1e-3)
    got, step = coded(kind, x, 0x7FFFF, 1)
    assert (step <= (got + 2.0**-14) / 8).all()


@every_eight
def test_errors_are_bounded_by_the_distance_of_neighbours(kind):
    rng = np.random.default_rng(1)
    for seed in range(200):
        x = hostile(256, seed, decades=4)
        x = x * x if kind == "squares" else x
        nearest, step = coded(kind, x, 0x7FFFF, 1)
        slack = 2.0**-22 * np.abs(x)  # float32's own rounding of x + offset
        floor = step if kind == "squares" else 0  # code 0 is not for squares
        assert (np.abs(nearest - x) <= np.maximum(step / 2, floor) + slack).all()
        random, step = coded(kind, x, rng.integers(0, 2**20, 256, dtype=np.int32), 0)
        assert (np.abs(random - x) <= step + slack).all()


def test_bfloat16_is_unbiased_exactly():
    """Over all 65,536 equally likely cuts the mean is the number, up to float64's rounding."""
    cuts = np.arange(2**16, dtype=np.int32)
    for x in np.concatenate([hostile(60, 2, 30), np.float32([1e-40, 0.0, 1.9999999])]):
        values = codes.bfloat16_value(codes.bfloat16_code(np.full(2**16, x), cuts, 0)).astype(np.float64)
        assert len(np.unique(values)) <= 2
        assert abs(values.mean() - x) <= 1e-12 * abs(x)


@every_eight
def test_eight_bits_are_unbiased_exactly(kind):
    """Over all 1,048,576 equally likely cuts, up to float32's rounding of x + offset; squares from 2**-34.5 up."""
    cuts = np.arange(2**20, dtype=np.int32)
    offset_of, value, code, _ = EIGHT[kind]
    offset = offset_of(word.bits(np.float32([1.0])))
    for x in np.float32([1.0, 0.77, 0.01, 3e-4, 2e-5, 1e-6]):
        values = value(code(np.full(2**20, x), offset, cuts, 0), offset).astype(np.float64)
        assert len(np.unique(values)) <= 2
        assert abs(values.mean() - x) <= 2.0**-24 * (x + offset[0])


def test_random_numbers_are_uniform_and_independent():
    """A million counters of each of 8 steps. Chi-square of 256 bins, and correlations (standard error 1 / sqrt(n)):
    neighbours, the same place in the next step, m's bits and v's. 80 tests, each failing one run in 10**6 if the
    numbers were perfect; they are the same in every run."""
    n = 2**20
    place = np.arange(n, dtype=np.int64).astype(np.int32)
    earlier = None
    for t in range(1, 9):
        r = codes.scramble(place + codes.key(7, t))
        for part in ((r >> 16) & 0xFFFF, r & 0xFFFF, (r >> 12) & 0xFFFFF, r & 0xFFFFF):
            counts = np.bincount(part * 256 // (2**16 if part.max() < 2**16 else 2**20), minlength=256)
            assert stats.chisquare(counts).pvalue > 1e-6
        high, low = (((r >> shift) & 0xFFFF) / 2**16 - 0.5 for shift in (16, 0))
        pairs = [(high[:-1], high[1:]), (low[:-1], low[1:]), (high, low)]
        pairs += [] if earlier is None else [(earlier[0], high), (earlier[1], low)]
        for a, b in pairs:
            assert abs(np.mean(a * b) * 12 * np.sqrt(len(a))) < stats.norm.isf(5e-7)
        earlier = high, low


def test_keys_of_steps_and_seeds_differ():
    keys = {codes.key(seed, t) for seed in range(50) for t in range(200)}
    assert len(keys) == 10_000
    assert all(-(2**31) <= k < 2**31 for k in keys)


def run(rule: lowbit, w: np.ndarray, grads: list[np.ndarray]):
    state = rule.init(w)
    for g in grads:
        w, state = rule.step(w, g, state)
    return w, state


@pytest.mark.parametrize("moments", ["bfloat16", "8bit"])
def test_averages_over_seeds_have_the_mean_of_float32(moments):
    """400 seeds x 64 numbers after 30 steps: z of each number's mean error. Of 128 z, none above 6: one in 4 million
    if they are normal."""
    rng = np.random.default_rng(3)
    grads = [rng.standard_normal(64).astype(np.float32) for _ in range(30)]
    exact_rule = adam(1e-3, 0.9, 0.99)
    w = np.zeros(64, np.float32)
    exact = exact_rule.init(w)
    at = w
    for g in grads:
        at, exact = exact_rule.step(at, g, exact)
    errors = []
    for seed in range(400):
        rule = lowbit(exact_rule, moments, seed=seed)
        m, v = rule.values(run(rule, w, grads)[1])
        errors.append(np.concatenate([m - exact.m, v - exact.v]))
    z = np.mean(errors, 0) / (np.std(errors, 0, ddof=1) / np.sqrt(400))
    assert np.abs(z).max() < 6


@pytest.mark.parametrize("moments", ["bfloat16", "8bit"])
@pytest.mark.parametrize("rounding", ["stochastic", "nearest"])
def test_the_first_step_is_float32_s(moments, rounding):
    """Before it all moments are 0, which has a code; rounding comes after the step."""
    w, g = hostile(700, 5, 2), hostile(700, 6, 3)
    rule = adamw(0.01)
    np.testing.assert_array_equal(
        run(lowbit(rule, moments, rounding), w, [g])[0], rule.step(w, g, rule.init(w))[0]
    )


@pytest.mark.parametrize("rounding", ["stochastic", "nearest"])
def test_float32_is_the_limit_where_moments_are_representable(rounding):
    """beta = 1/2 and one gradient: m and v after t steps have t bits, of which bfloat16 keeps 8."""
    rule, w = adam(0.01, 0.5, 0.5), hostile(300, 7, 1)
    g = np.sign(hostile(300, 8)) * np.float32(2.0) ** np.random.default_rng(0).integers(-9, 9, 300).astype(
        "f4"
    )
    low, state, exact = lowbit(rule, "bfloat16", rounding), None, rule.init(w)
    mine, theirs, state = w, w, lowbit(rule, "bfloat16", rounding).init(w)
    for _ in range(8):
        mine, state = low.step(mine, g, state)
        theirs, exact = rule.step(theirs, g, exact)
        np.testing.assert_array_equal(mine, theirs)
        np.testing.assert_array_equal(low.values(state), (exact.m, exact.v))


def test_a_spoiled_number_spoils_itself_and_in_8_bits_its_block():
    for moments, spoiled in (("bfloat16", {300}), ("8bit", set(range(256, 512)))):
        g = hostile(700, 9, 1)
        g[300] = np.nan
        rule = lowbit(adamw(0.01), moments)
        w, state = run(rule, np.ones(700, np.float32), [g])
        assert set(np.flatnonzero(np.isnan(w))) == {300}
        m, v = rule.values(state)
        assert set(np.flatnonzero(np.isnan(m))) == set(np.flatnonzero(np.isnan(v))) == spoiled


def test_blocks_without_gradients_stay():
    rule = lowbit(adamw(0.01, lam=0.0), "8bit")
    w, state = run(rule, np.ones(600, np.float32), [np.zeros(600, np.float32)] * 50)
    np.testing.assert_array_equal(w, 1)
    m, v = rule.values(state)
    assert not m.any()
    assert (v < 1e-35).all()


def test_to_nearest_v_stands_still_and_at_random_it_does_not():
    """Gradients of 1, then of 0.1: v should fall to 0.01 as 0.999**t. Half a code is more than 0.001 of v."""
    rule, w = adam(1e-3), np.zeros(64, np.float32)
    grads = [np.ones(64, np.float32)] * 1000 + [np.full(64, 0.1, np.float32)] * 1000
    expected = 0.01 * (1 - 0.999**1000) + (1 - 0.999**1000) * 0.999**1000
    for moments in ("bfloat16", "8bit"):
        fell = {}
        for rounding in ("nearest", "stochastic"):
            low = lowbit(rule, moments, rounding)
            early = low.values(run(low, w, grads[:1000])[1])[1].mean()
            fell[rounding] = (early, low.values(run(low, w, grads)[1])[1].mean())
        assert fell["nearest"][0] == fell["nearest"][1]
        assert abs(fell["stochastic"][1] / expected - 1) < 0.15


@pytest.mark.parametrize(("moments", "expected"), [("bfloat16", 1 / 28), ("8bit", 1 / 5)])
def test_the_noise_of_v_is_what_the_docstring_says(moments, expected):
    """Of 512 numbers under gradients of pure noise, after 2,500 steps; the estimate's own error is 3 %."""
    rng = np.random.default_rng(4)
    w, grads = np.zeros(512, np.float32), rng.standard_normal((2500, 512)).astype(np.float32)
    low, v = lowbit(adam(1e-3), moments), np.zeros(512)
    for g in grads:
        v = 0.999 * v + 0.001 * g**2
    noisy = low.values(run(low, w, list(grads))[1])[1] / v
    assert abs(noisy.mean() - 1) < 6 * expected / np.sqrt(512)
    assert abs(noisy.std() / expected - 1) < 0.25


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((adam(), "int4"), ValueError, "moments must be one of 'bfloat16', '8bit'; got 'int4'"),
        ((adam(), "8bit", "up"), ValueError, "rounding must be one of"),
        ((adam(), "8bit", "nearest", -1), ValueError, "seed must be >= 0"),
        ((adam(), "8bit", "nearest", 2**32), ValueError, "seed must be below 2"),
        ((amsgrad(), "8bit"), ValueError, "rule must keep m and v alone"),
    ],
)
def test_wrong_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        lowbit(*arguments)


def test_weights_are_float32():
    rule = lowbit(adam())
    with pytest.raises(TypeError, match="w must be float32; got float64"):
        rule.init(np.zeros(3))
    with pytest.raises(ValueError, match="shape"):
        rule.step(np.zeros(3, np.float32), np.zeros(4, np.float32), rule.init(np.zeros(3, np.float32)))


def test_nothing_is_mutated():
    rule = lowbit(adamw(), "8bit")
    w, g = hostile(300, 1, 1), hostile(300, 2, 1)
    _, state = rule.step(w, g, rule.init(w))
    kept = [np.array(x) for x in (w, g, *state[1:])]
    rule.step(w, g, state)
    for before, after in zip(kept, (w, g, *state[1:]), strict=True):
        np.testing.assert_array_equal(before, after)
