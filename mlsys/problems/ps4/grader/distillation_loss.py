"""How the distillation loss is judged."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING

import numpy as np

from mlsys.inference.compress import distill
from mlsys.problems.problem import Answer, Arrays, Case, Grader, Verdict, answers, edits
from mlsys.problems.ps3.grader.first_off import first_off

if TYPE_CHECKING:
    import torch  # the sources of the answers name it, which run elsewhere


def distil_loss(student, teacher, labels, T, alpha):
    def log_softmax(z):
        z = z - z.max(axis=1, keepdims=True)
        return z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    b = len(student)
    log_q, p = log_softmax(student / T), np.exp(log_softmax(teacher / T))
    soft = -(p * log_q).sum() / b
    gradient = alpha * T * (np.exp(log_q) - p) / b
    rows = np.flatnonzero(labels >= 0)
    hard, n = 0.0, len(rows)
    if n:
        log_one = log_softmax(student)
        hard = -log_one[rows, labels[rows]].sum() / n
        off = np.exp(log_one[rows])
        off[np.arange(n), labels[rows]] -= 1
        gradient[rows] += (1 - alpha) * off / n
    return alpha * T**2 * soft + (1 - alpha) * hard, gradient


def loops(student, teacher, labels, T, alpha):
    def shares(row, T):
        top = max(row)
        parts = [math.exp((z - top) / T) for z in row]
        return [x / sum(parts) for x in parts], [(z - top) / T - math.log(sum(parts)) for z in row]

    b, c = student.shape
    n = sum(y >= 0 for y in labels)
    loss, gradient = 0.0, []
    for i in range(b):
        p, _ = shares(teacher[i], T)
        q, log_q = shares(student[i], T)
        q1, log_q1 = shares(student[i], 1)
        loss += alpha * T * T / b * -sum(p[k] * log_q[k] for k in range(c))
        row = [alpha * T / b * (q[k] - p[k]) for k in range(c)]
        if labels[i] >= 0:
            loss -= (1 - alpha) / n * log_q1[labels[i]]
            row = [row[k] + (1 - alpha) / n * (q1[k] - (k == labels[i])) for k in range(c)]
        gradient.append(row)
    return loss, gradient


def by_autograd(student, teacher, labels, T, alpha):
    z = torch.tensor(student, requires_grad=True)
    t, y = torch.as_tensor(teacher), torch.as_tensor(labels)
    soft = torch.nn.functional.cross_entropy(z / T, (t / T).softmax(1))
    known = y >= 0
    hard = torch.nn.functional.cross_entropy(z[known], y[known]) if known.any() else 0.0
    loss = alpha * T**2 * soft + (1 - alpha) * hard
    loss.backward()
    return loss, z.grad


SOFT, HARD = "-(p * log_q).sum() / b", "-log_one[rows, labels[rows]].sum() / n"
SLOPE, OFF = "alpha * T * (np.exp(log_q) - p) / b", "(1 - alpha) * off / n"
LOSS = "alpha * T**2 * soft + (1 - alpha) * hard"
SHIFT = "        z = z - z.max(axis=1, keepdims=True)\n"

WRONG = edits(
    distil_loss,
    divergence=(
        "This is the Kullback-Leibler divergence, from which the teacher's own entropy is taken off. Here the "
        "soft part is the cross-entropy, not 0 where the student is the teacher. (The gradient is the same.)",
        SOFT,
        "(p * (log_softmax(teacher / T) - log_q)).sum() / b",
    ),
    without_t_squared=(
        "T**2 is missing: without it a high temperature hands the loss over to the labels.",
        "T**2 * soft",
        "soft",
        SLOPE,
        "alpha / T * (np.exp(log_q) - p) / b",
    ),
    t_once=("T goes in squared.", "T**2 * soft", "T * soft", SLOPE, "alpha * (np.exp(log_q) - p) / b"),
    chain_rule=(
        "The loss is right and its gradient is not: log q is a function of student / T, so that its derivative brings "
        "a factor 1 / T, and of T**2 a T is left.",
        SLOPE,
        "alpha * T**2 * (np.exp(log_q) - p) / b",
    ),
    gradient_without_t=(
        "The loss is right and its gradient is not: T**2 times 1 / T leaves a T.",
        SLOPE,
        "alpha * (np.exp(log_q) - p) / b",
    ),
    teacher_not_softened=(
        "The teacher's logits are divided by T too: both sides at the same temperature.",
        "log_softmax(teacher / T)",
        "log_softmax(teacher)",
    ),
    student_not_softened=(
        "In the soft part the student's logits are divided by T, as the teacher's are.",
        "log_softmax(student / T)",
        "log_softmax(student)",
    ),
    labels_at_t=(
        "The labels are compared with the student at T = 1: no temperature in the hard part.",
        "log_softmax(student)\n",
        "log_softmax(student / T)\n",
        OFF,
        "(1 - alpha) / T * off / n",
    ),
    alpha_exchanged=(
        "alpha is the share of the soft targets, 1 - alpha that of the labels.",
        LOSS,
        "(1 - alpha) * T**2 * soft + alpha * hard",
        SLOPE,
        "(1 - alpha) * T * (np.exp(log_q) - p) / b",
        OFF,
        "alpha * off / n",
    ),
    sums=(
        "These are sums over the examples; both parts are means.",
        SOFT,
        "-(p * log_q).sum()",
        HARD,
        "-log_one[rows, labels[rows]].sum()",
        SLOPE,
        "alpha * T * (np.exp(log_q) - p)",
        OFF,
        "(1 - alpha) * off",
    ),
    over_classes_too=(
        "The soft part is summed over the classes, and averaged over the examples alone.",
        SOFT,
        "-(p * log_q).mean()",
        SLOPE,
        "alpha * T * (np.exp(log_q) - p) / b / p.shape[1]",
    ),
    divided_by_all=(
        "The hard part is the mean over the examples that have a label; here it is divided by the number of all.",
        HARD,
        "-log_one[rows, labels[rows]].sum() / b",
        OFF,
        "(1 - alpha) * off / b",
    ),
    unlabelled_is_the_last_class=(
        "A label of -1 says that there is none. As an index it is the last class: leave those rows out there.",
        "np.flatnonzero(labels >= 0)",
        "np.arange(b)",
    ),
    unlabelled_left_out=(
        "Rows without a label still hear the teacher: they are left out of the hard part alone.",
        "    b = len(student)\n",
        "    b, everyone, there = len(student), student, labels >= 0\n"
        "    student, teacher = student * 1.0, teacher * 1.0\n",
        SOFT,
        "-(p * log_q)[there].sum() / max(there.sum(), 1)",
        SLOPE,
        "alpha * T * (np.exp(log_q) - p) * there[:, None] / max(there.sum(), 1)",
    ),
    roles_exchanged=(
        "The teacher gives the targets p, and the student the logarithm: here they are exchanged.",
        SOFT,
        "-(np.exp(log_q) * log_softmax(teacher / T)).sum() / b",
    ),
    in_bits=("The logarithm is the natural one: these are bits.", LOSS, f"({LOSS}) / math.log(2)"),
    sign_of_the_gradient=(
        "The gradient has the wrong sign: it is q - p.",
        SLOPE,
        "alpha * T * (p - np.exp(log_q)) / b",
    ),
    overflows=("", SHIFT, ""),
    exchanged=("", f"return {LOSS}, gradient", f"return gradient, {LOSS}"),
)

PASTE = f"""
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

def positive(**named):
    pass

share = finite = positive

{inspect.getsource(distill.distillation_loss)}

def distil_loss(student, teacher, labels, T, alpha):
    z = torch.tensor(student, requires_grad=True)
    loss = distillation_loss(z, torch.as_tensor(teacher), torch.as_tensor(labels), T, alpha)
    loss.backward()
    return loss, z.grad
"""


def judge(case: Case, arrays: Arrays, expected: Arrays) -> Verdict:
    """The loss, and the gradient as a share of its largest entry; whether one of them is right."""
    c = case.given["student"].shape[1]

    def told(name: str, i: int) -> str:
        return "loss" if name == "loss" else f"The loss is right; gradient[{i // c}, {i % c}]"

    return first_off(arrays, expected, told, rtol=1e-5, atol=1e-6)


def nothing(student, teacher, labels, T, alpha):
    return 0.0, 0 * student


def uniform(student, teacher, labels, T, alpha):
    return math.log(student.shape[1]), (
        1 / student.shape[1] - (teacher == teacher.max(axis=1, keepdims=True))
    ) / len(student)


GRADER = Grader(
    reference=Answer(distil_loss),
    right=answers(loops, by_autograd),
    wrong={**WRONG, "paste": Answer(PASTE)},
    idle=answers(nothing, uniform),
    judge=judge,
)
