"""The distillation loss: its gradient, its limits, why T**2, and that a student learns from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from chains import inputs
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy

from mlsys.core import generator
from mlsys.inference.compress.distill import distil, distillation_loss
from mlsys.inference.compress.training import Examples, logits

quick = settings(max_examples=20, deadline=None, derandomize=True)


def drawn(seed: int, b: int = 6, k: int = 5) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rng = generator(seed, "distillation")
    student, teacher = torch.tensor(rng.standard_normal((2, b, k)) * 3)
    return student.requires_grad_(), teacher, torch.from_numpy(rng.integers(k, size=b))


@quick
@given(st.integers(0, 2**31), st.floats(0.5, 20), st.floats(0, 1))
def test_the_gradient_is_that_of_finite_differences(seed: int, T: float, alpha: float) -> None:
    student, teacher, y = drawn(seed)
    assert torch.autograd.gradcheck(lambda s: distillation_loss(s, teacher, y, T, alpha), (student,))


def test_the_docstring_s_formula_term_by_term() -> None:
    student, teacher, y = drawn(3)
    T, alpha = 2.5, 0.7
    p, q = (np.exp(z.detach().numpy() / T) for z in (teacher, student))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    kl = (p * np.log(p / q)).sum(1).mean()
    expected = alpha * T**2 * kl + (1 - alpha) * float(cross_entropy(student.detach(), y))
    assert float(distillation_loss(student.detach(), teacher, y, T, alpha)) == pytest.approx(
        expected, rel=1e-12
    )


def soft_gradient(T: float) -> torch.Tensor:
    student, teacher, y = drawn(4)
    (g,) = torch.autograd.grad(distillation_loss(student, teacher, y, T, alpha=1.0), student)
    return g


def test_at_high_temperature_the_gradient_is_that_of_matching_logits() -> None:
    """Its distance from the limit falls as 1 / T: the next term of exp's series."""
    student, teacher, _ = drawn(4)
    centred = [z - z.mean(1, keepdim=True) for z in (student.detach(), teacher)]
    limit = (centred[0] - centred[1]) / 5 / len(student)
    T = np.array([50, 100, 200, 400])
    off = np.array([float((soft_gradient(t) - limit).norm()) for t in T])
    assert np.polyfit(np.log(T), np.log(off), 1)[0] == pytest.approx(-1, abs=0.05)
    assert off[-1] < 0.02 * float(limit.norm())


def test_without_t_squared_the_soft_gradient_would_vanish() -> None:
    with_factor = [float(soft_gradient(t).norm()) for t in (20.0, 40.0)]
    without = [g / t**2 for g, t in zip(with_factor, (20.0, 40.0), strict=True)]
    assert with_factor[1] / with_factor[0] == pytest.approx(1, abs=0.1)
    assert without[1] / without[0] == pytest.approx(1 / 4, abs=0.03)


def test_ends() -> None:
    student, teacher, y = drawn(5)
    student = student.detach()
    assert float(distillation_loss(student, teacher, y, alpha=0)) == float(cross_entropy(student, y))
    assert float(distillation_loss(student, student, y, T=3, alpha=1)) == pytest.approx(0, abs=1e-12)
    student.requires_grad_()
    teacher.requires_grad_()
    distillation_loss(student, teacher, y).backward()
    assert teacher.grad is None
    assert student.grad is not None


def test_a_student_comes_to_agree_with_its_teacher_where_labels_are_useless() -> None:
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        teacher = nn.Sequential(nn.Linear(72, 5))
        start = nn.Sequential(nn.Linear(72, 32), nn.ReLU(), nn.Linear(32, 5))
    with torch.no_grad():
        teacher[0].weight.mul_(3)
    X = inputs(800)
    noise = torch.from_numpy(generator(0).integers(5, size=800))
    student = distil(teacher, start, Examples(X, noise), generator(1), alpha=1.0, epochs=15)
    unseen = inputs(400, seed=9)
    agree = [
        float((logits(s, unseen).argmax(1) == logits(teacher, unseen).argmax(1)).float().mean())
        for s in (start, student)
    ]
    assert agree[1] > 0.8 > 0.5 > agree[0]


def test_bad_arguments_are_named() -> None:
    student, teacher, y = drawn(0)
    for options, words in (
        ({"T": 0}, "T must be > 0; got 0"),
        ({"alpha": 1.2}, r"alpha must lie in \[0, 1\]; got 1.2"),
        ({"teacher": teacher[:, :3]}, r"must be logits \(b, classes\); got \(6, 5\) and \(6, 3\)"),
        ({"teacher": teacher * torch.nan}, "teacher must be finite; 30 of 30 .*30 NaN"),
    ):
        with pytest.raises(ValueError, match=words):
            distillation_loss(**{"student": student, "teacher": teacher, "y": y, **options})
