"""How size and energy are judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.metrics import energy
from mlsys.problems.coerce import short
from mlsys.problems.compare import differs
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def footprint(tensors, bits, group, readings, modulus, seconds, idle_watts, answered):
    size = 0
    for _, shape in dict(tensors).items():
        n = math.prod(shape)
        size += math.ceil(n * bits / 8) + 2 * math.ceil(n / group) if len(shape) > 1 else 4 * n
    spent = 1e-6 * (np.diff(readings) % modulus).sum()
    return size, (spent - idle_watts * seconds) / answered


def loops(tensors, bits, group, readings, modulus, seconds, idle_watts, answered):
    seen, size = [], 0
    for storage, shape in tensors:
        if storage in seen:
            continue
        seen.append(storage)
        n = 1
        for side in shape:
            n *= side
        if len(shape) < 2:
            size += 4 * n
            continue
        size += (n * bits + 7) // 8
        size += 2 * ((n + group - 1) // group)
    micro = 0
    for k in range(len(readings) - 1):
        micro += readings[k + 1] - readings[k]
        if readings[k + 1] < readings[k]:
            micro += modulus
    return size, micro / 1e6 / answered - idle_watts * seconds / answered


def in_torch(tensors, bits, group, readings, modulus, seconds, idle_watts, answered):
    kept = {storage: torch.empty(shape, dtype=torch.float32, device="meta") for storage, shape in tensors}
    size = sum(
        -(-t.numel() * bits // 8) - 2 * (-t.numel() // group) if t.ndim > 1 else t.numel() * t.element_size()
        for t in kept.values()
    )
    spent = torch.as_tensor(readings).diff().remainder(modulus).sum().double() / 1e6
    return torch.tensor(size), (spent - idle_watts * seconds) / answered


PACKED, SCALES, FLOATS = "math.ceil(n * bits / 8)", "2 * math.ceil(n / group)", "4 * n"
SPENT, NET = "1e-6 * (np.diff(readings) % modulus).sum()", "(spent - idle_watts * seconds) / answered"

WRONG = edits(
    footprint,
    tied_twice=(
        "Two tensors of the same storage are one: its bytes are on the disk once.",
        "dict(tensors).items()",
        "tensors",
    ),
    without_scales=(
        "The scales are missing: each group of a packed tensor has one, of 2 bytes.",
        f" + {SCALES}",
        "",
    ),
    scales_in_float32=("A group's scale is a float16, 2 bytes.", SCALES, SCALES.replace("2", "4", 1)),
    one_scale_a_tensor=("There is a scale for each group, and not one for each tensor.", SCALES, "2"),
    full_groups_alone=("The last group need not be full: it has a scale too.", SCALES, "2 * (n // group)"),
    byte_cut_off=(
        "Bits that fill no byte take one all the same: round up to whole bytes, a tensor at a time.",
        PACKED,
        "n * bits // 8",
    ),
    a_byte_each=("Numbers of few bits are packed close: n * bits bits, and not a byte each.", PACKED, "n"),
    bits_as_bytes=("This counts bits; the answer is in bytes.", PACKED, "n * bits"),
    not_packed=("Tensors of two and more dimensions are packed, and not kept in float32.", PACKED, "4 * n"),
    all_packed=(
        "Tensors of one dimension and of none, biases and norms, stay in float32: 4 bytes a number.",
        f" if len(shape) > 1 else {FLOATS}",
        "",
    ),
    vectors_left_out=("Biases and norms are part of the file too: 4 bytes a number.", FLOATS, "0"),
    matrices_alone=("A convolution's four dimensions are packed too.", "len(shape) > 1", "len(shape) == 2"),
    ends_alone=(
        "This takes the last reading less the first. The counter may have turned over more than once between them: add "
        "up what went by between each reading and the next.",
        SPENT,
        "1e-6 * ((readings[-1] - readings[0]) % modulus)",
    ),
    never_turns=(
        "The counter turns over: where a reading is below the one before, it has passed `modulus` and begun anew.",
        SPENT,
        "1e-6 * np.diff(readings).sum()",
    ),
    falls_left_out=(
        "Where the counter has turned over, what went by is the difference plus `modulus`: that loses energy.",
        SPENT,
        "1e-6 * np.maximum(np.diff(readings), 0).sum()",
    ),
    with_idle=(
        "The machine's idle power is in this figure. Asked is what the predictions cost beyond letting the machine "
        "stand.",
        NET,
        "spent / answered",
    ),
    watts_off_joules=(
        "idle_watts is a power: times seconds it is the energy to take off.",
        NET,
        "(spent - idle_watts) / answered",
    ),
    idle_off_each=(
        "The idle energy is that of the whole run: it is taken off once, before the division.",
        NET,
        "spent / answered - idle_watts * seconds",
    ),
    of_the_run=(
        "This is the energy of the whole run; asked is that of one prediction.",
        NET,
        "spent - idle_watts * seconds",
    ),
    millijoules=("The counter counts microjoules: a million to the joule.", "1e-6", "1e-3"),
    exchanged=("The order is (size, joules).", f"size, {NET}", f"{NET}, size"),
)

PASTE = f"""
import math

class Rapl:
{inspect.getsource(energy.Rapl.joules)}

def footprint(tensors, bits, group, readings, modulus, seconds, idle_watts, answered):
    size = sum(math.prod(shape) * bits // 8 for storage, shape in tensors)
    counter = Rapl()
    counter.ranges = [modulus]
    return size, counter.joules([readings[0]], [readings[-1]]) / answered
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The bytes exactly, the joules to rounding; both in one message."""
    said, given = [], case.given
    size, joules = arrays["size"], arrays["joules"]
    if differs(size, expected["size"], 1e-9, 0.0):
        held = f"{len(given['tensors'])} tensors in {given['bits']} bits and groups of {given['group']}"
        said.append(f"{held} take {short(expected['size'])} bytes; you have {short(size)}.")
    if differs(joules, expected["joules"]):
        idle = f"with {given['idle_watts']:g} W idle"
        run = f"{given['answered']} predictions over {given['seconds']:g} s, {idle},"
        said.append(f"{run} take {short(expected['joules'])} J each; you have {short(joules)}.")
    return Verdict(0.0 if said else 1.0, " ".join(said))


def nothing(tensors, bits, group, readings, modulus, seconds, idle_watts, answered):
    return 0, 0.0


def four_bytes_each(tensors, bits, group, readings, modulus, seconds, idle_watts, answered):
    return sum(4 * math.prod(shape) for _, shape in tensors), idle_watts / answered


GRADER = Grader(
    reference=Answer(footprint),
    right=answers(loops, in_torch),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(nothing, four_bytes_each),
    judge=judge,
)
