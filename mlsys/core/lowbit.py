"""Numbers in 16 and in 8 bits, and the random bits that round them: bodies that every engine lifts.

All but two additions is arithmetic on integers, so all engines agree to the bit. A float32's bits, read as an
integer, count the representable numbers: a format that keeps the upper bits rounds x to a neighbour by adding
something to the lower ones and cutting them off. Half a step rounds to nearest; uniform random bits round up with a
probability equal to the part cut off, so that the mean is x (Gupta et al., 2015).

  bfloat16   the upper 16 bits: float32's range, 128 steps a binade (a factor of two)
  8 bits     8 steps a binade, counted from an offset that a block of 256 shares, that is, from its largest:
             signed numbers have 127 steps, down to 2**-18.6 of the largest, squares 255, down to 2**-34.5
The body of a code is level(c) - offset, level(c) being the float32 whose upper 12 bits are the offset's plus c: the
steps are logarithmic above the offset and equal, an eighth of it, below; zero is code 0. (Equal steps throughout would
suit a sum. But a step of Adam is a ratio, m over the root of v: equal steps of v lose what is 255 times smaller than
its largest, those of its root what is 255**2 times smaller, and a step divided by what was lost has any length.)
Literals fit an int32, shifts are masked where a sign could come down: so 32 and 64 bits give the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from mlsys.core import word

BLOCK = 256  # numbers that share an offset


class Memory(NamedTuple):
    """What the moments of one parameter are kept in. m, v : codes, of its shape and memory order

    offsets : () for bfloat16; for 8 bits those of m and of v, each (blocks,) float32, in that memory order
    first : the place of the parameter's first number among all, where its random numbers begin
    """

    m: Any
    v: Any
    offsets: tuple[Any, ...]
    first: int

    @property
    def tensors(self) -> tuple[Any, ...]:
        return self.m, self.v, *self.offsets


def scramble(n):
    """32 random bits of a counter n: each bit of n turns about half of them (the constants are Wellons's, 2018)."""
    n = n ^ ((n >> 16) & 0xFFFF)
    n = n * 0x7FEB352D
    n = n ^ ((n >> 15) & 0x1FFFF)
    n = n * -0x7B935975
    return n ^ ((n >> 16) & 0xFFFF)


def key(seed: int, t: int) -> int:
    """What step t adds to every counter: an int32."""
    return (scramble(scramble(seed) + t) + 0x80000000) % 0x100000000 - 0x80000000


def bfloat16_value(code):
    return word.real(code << 16)


def bfloat16_code(x, cut, even):
    """cut : added to the 16 bits that are cut off;  even : 1 rounds ties to even codes, 0 does not ask."""
    n = word.bits(x)
    code = (n + cut + ((n >> 16) & even)) >> 16
    return word.where((n & 0x7FFFFFFF) > 0x7F800000, 0x7FC0, code)  # NaN stays NaN


def signed_offset(largest):
    """largest : the bits of the block's largest magnitude. Of NaN or infinity it is NaN, and so is then the block."""
    return word.real(
        word.where(largest < 0x7F800000, word.at_least((largest >> 20) - 125, 64) << 20, 0x7FC00000)
    )


def signed_value(code, offset):
    n = word.bits(word.real(((code & 0x7F) << 20) + word.bits(offset)) - offset)
    return word.real(n ^ ((code & 0x80) << 24))


def signed_code(x, offset, cut, even):
    """cut : added to the 20 bits that are cut off."""
    n = word.bits(x)
    y = word.bits(word.real(n & 0x7FFFFFFF) + offset)
    code = ((y + cut + ((y >> 20) & even)) >> 20) - (word.bits(offset) >> 20)
    return code | ((n >> 24) & 0x80)


def squares_offset(largest):
    return word.real(
        word.where(largest < 0x7F800000, word.at_least((largest >> 20) - 253, 64) << 20, 0x7FC00000)
    )


def squares_value(code, offset):
    return word.real((code << 20) + word.bits(offset)) - offset


def squares_code(x, offset, cut, even):
    """Never code 0: a step is divided by the root of what this stands for, and 2**-34.5 of the largest is safe."""
    y = word.bits(x + offset)
    return word.at_least(((y + cut + ((y >> 20) & even)) >> 20) - (word.bits(offset) >> 20), 1)
