"""Moments in fewer bits: what Adam keeps beside the weights, in 2 bytes or in 1 instead of 4."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlsys.core import decay, word
from mlsys.core import lowbit as codes
from mlsys.core.checks import same_kind, whole
from mlsys.core.dispatch import lift, namespace
from mlsys.core.rule import Rule

MOMENTS = ("bfloat16", "8bit")
ROUNDINGS = ("stochastic", "nearest")


class LowBitState(NamedTuple):
    """t : steps taken;  m, v : codes of the two averages, of the shape of w, int16 (bfloat16) or uint8 (8bit)

    m_offsets, v_offsets (blocks,) : float32, of each block of 256 numbers in the order of w.reshape(-1); () for
    bfloat16, which needs none
    """

    t: int
    m: Any
    v: Any
    m_offsets: Any
    v_offsets: Any


def check_format(moments: str, rounding: str) -> None:
    """Raise ValueError unless both are among MOMENTS and ROUNDINGS."""
    for name, value, known in (("moments", moments, MOMENTS), ("rounding", rounding, ROUNDINGS)):
        if value not in known:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}; got {value!r}.")


def check_seed(seed: int) -> int:
    """The seed, or ValueError unless 0 <= seed < 2**32: of a larger one the upper bits would be lost."""
    if whole(seed=seed) >= 2**32:
        raise ValueError(f"seed must be below 2**32; got {seed}.")
    return whole(seed=seed)


class lowbit:
    """A rule with the moments m and v, which are kept in fewer bits between the steps.

        m, v <- the numbers that the codes stand for;  w, m, v <- the rule's own step, in float32
        codes of m, v <- rounded up or down at random, so that their mean is m, v ("stochastic"), or to "nearest"

    rule : Rule whose state is (t, m, v): adam, adamw, nadam, radam
    moments : "bfloat16", with 128 steps a factor of two; "8bit", with 8, counted down from the largest number of a
    block of 256, so that what is 2**15 times smaller than it (m), or 2**31 times (v), is still coded as finely
    seed : int in [0, 2**32) of the random numbers, which depend on it, on the step and on a number's place alone
    first : int >= 0, the place of w's first number, where w is one of several arrays
    init(w (d,)) -> state;  step(w (d,), g (d,), state) -> (w (d,), state): the interface of a Rule, in float32
    Bytes moved, a number: 20 for bfloat16 and 16 for 8bit, where float32 has 28.
    Raises ValueError or TypeError if an argument is out of range, the rule has other moments, or w is not float32.
    A NaN or infinite gradient passes through, as in every rule; in 8 bits it spoils its block's moments with it.
    Source: Gupta et al. (2015) for the rounding, Dettmers et al. (2022) for blocks of 8-bit moments, Li et al. (2023)
    for keeping zero out of v's codes. Limit: to nearest, v stands still where a step changes it by less than half
    a code: beta2 = 0.999 asks for 10 bits. At random it does not, but carries a noise, which where gradients
    are noise is a twenty-eighth of v in bfloat16 and a fifth in 8 bits, whose steps therefore vary by a tenth.
    """

    def __init__(
        self,
        rule: Rule,
        moments: str = "bfloat16",
        rounding: str = "stochastic",
        seed: int = 0,
        first: int = 0,
    ) -> None:
        check_format(moments, rounding)
        if rule.State._fields != ("t", "m", "v"):  # type: ignore[attr-defined]
            raise ValueError(
                f"rule must keep m and v alone; {rule.name} keeps {rule.State}. Pass adamw(...)."
            )
        self.rule, self.moments, self.rounding = rule, moments, rounding
        self.seed, self.first = check_seed(seed), whole(first=first)
        self.name = f"{rule.name}-{moments}-{rounding}"

    def init(self, w: Any) -> LowBitState:
        """The state before the first step: both averages 0."""
        same_kind(w=w)
        xp = namespace(w)
        if w.dtype != xp.float32:
            raise TypeError(f"w must be float32; got {w.dtype}. Convert it: the weights keep their bits.")
        zero = word.whole(xp.zeros_like(w), "int16" if self.moments == "bfloat16" else "uint8")
        if self.moments == "bfloat16":
            return LowBitState(0, zero, zero, (), ())
        none = word.whole(xp.zeros_like(in_blocks(w.reshape(-1))[:, 0]))
        return LowBitState(0, zero, zero, codes.signed_offset(none), codes.squares_offset(none))

    def step(self, w: Any, g: Any, state: LowBitState) -> tuple[Any, LowBitState]:
        """One step: (w, state) from a gradient g of the shape of w. Nothing is mutated."""
        same_kind(w=w, g=g)
        t = state.t + 1
        hyper = self.rule.at(t)
        m, v = self.values(state)
        w_new, g_new = decay.body(w, g, *self.rule.decay(hyper)) if self.rule.decay else (w, g)
        w_new, m, v = lift(self.rule.body, namespace(w))(
            w_new, g_new, m, v, *self.rule.coefficients(hyper, t)
        )
        return w_new, self.coded(m, v, t)

    def values(self, state: LowBitState) -> tuple[Any, Any]:
        """The averages (m, v) that the codes stand for, in float32."""
        m, v = word.whole(state.m), word.whole(state.v)
        if self.moments == "bfloat16":
            return codes.bfloat16_value(m), codes.bfloat16_value(v)
        flat_m = codes.signed_value(in_blocks(m.reshape(-1)), state.m_offsets[:, None])
        flat_v = codes.squares_value(in_blocks(v.reshape(-1)), state.v_offsets[:, None])
        return like(flat_m, m), like(flat_v, v)

    def coded(self, m: Any, v: Any, t: int) -> LowBitState:
        """The state after step t, whose averages are m and v."""
        if self.moments == "bfloat16":
            cut_m, cut_v, even = self._cuts(m, t, 16)
            return LowBitState(
                t,
                word.whole(codes.bfloat16_code(m, cut_m, even), "int16"),
                word.whole(codes.bfloat16_code(v, cut_v, even), "int16"),
                (),
                (),
            )
        cut_m, cut_v, even = self._cuts(m, t, 20)
        rows_m, rows_v = in_blocks(m.reshape(-1)), in_blocks(v.reshape(-1))
        m_offsets, v_offsets = codes.signed_offset(largest(rows_m)), codes.squares_offset(largest(rows_v))
        new_m = codes.signed_code(rows_m, m_offsets[:, None], cut_m, even)
        new_v = codes.squares_code(rows_v, v_offsets[:, None], cut_v, even)
        return LowBitState(
            t, word.whole(like(new_m, m), "uint8"), word.whole(like(new_v, v), "uint8"), m_offsets, v_offsets
        )

    def _cuts(self, like_m: Any, t: int, bits: int) -> tuple[Any, Any, int]:
        """What is added to the bits that are cut off, for m and for v, and whether ties go to even codes."""
        if self.rounding == "nearest":
            half = (1 << (bits - 1)) - 1
            return half, half, 1
        xp, count = namespace(like_m), like_m.reshape(-1).shape[0]
        place = word.whole(xp.arange(self.first, self.first + count, device=like_m.device))
        random = codes.scramble(place + codes.key(self.seed, t))
        high, low = (random >> (32 - bits)) & ((1 << bits) - 1), random & ((1 << bits) - 1)
        if bits == 16:
            return high.reshape(like_m.shape), low.reshape(like_m.shape), 0
        return in_blocks(high), in_blocks(low), 0  # the 8 bits in both decide of m but one time in 4096


def in_blocks(flat: Any) -> Any:
    """(d,) as (blocks, 256), zeros at the end."""
    xp, missing = namespace(flat), -len(flat) % codes.BLOCK
    tail = xp.zeros(missing, dtype=flat.dtype, device=flat.device)
    return xp.concatenate((flat, tail)).reshape(-1, codes.BLOCK)


def like(rows: Any, array: Any) -> Any:
    """(blocks, 256) in the shape of the array that it came from."""
    count = array.reshape(-1).shape[0]
    return rows.reshape(-1)[:count].reshape(array.shape)


def largest(rows: Any) -> Any:
    """(blocks,) : the bits of the largest magnitude of each, which order as the magnitudes do; NaN is above all."""
    return namespace(rows).amax(word.bits(rows) & 0x7FFFFFFF, 1)
