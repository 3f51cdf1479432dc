"""Distillation: a small net learns from the outputs of a large one (Hinton, Vinyals & Dean, 2015)."""

from __future__ import annotations

import numpy as np
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax

from mlsys.core.checks import positive
from mlsys.inference.compress.pruning import share
from mlsys.inference.compress.training import Examples, fit, logits
from mlsys.quant.grid import finite


def distillation_loss(
    student: Tensor, teacher: Tensor, y: Tensor, T: float = 4.0, alpha: float = 0.9
) -> Tensor:
    """alpha T**2 KL(p || q) + (1 - alpha) CE(y, student), p = softmax(teacher / T), q = softmax(student / T).

    student, teacher : logits (b, classes);  y (b,) : labels;  the mean over the batch, in nats
    T : temperature > 0: it softens p, so that the classes which the teacher nearly chose are heard
    alpha : in [0, 1], the share of the soft targets
    Why T**2: the gradient of the KL term is (q - p) / T, and q - p itself shrinks as 1 / T; without the factor a
    higher temperature would hand the loss over to the labels. As T grows, its gradient goes to that of
    ||z_s - z_t||**2 / (2 classes), each z with its mean taken off: matching logits.
    No gradient goes to the teacher. Raises ValueError if T <= 0, alpha is outside [0, 1], the logits differ in
    shape, or the teacher's are not finite (counted).
    """
    positive(T=T)
    share(alpha=alpha)
    if student.shape != teacher.shape or student.ndim != 2:
        shapes = f"{tuple(student.shape)} and {tuple(teacher.shape)}"
        raise ValueError(f"student and teacher must be logits (b, classes); got {shapes}.")
    finite(teacher=teacher)
    log_p, log_q = log_softmax(teacher.detach() / T, 1), log_softmax(student / T, 1)
    soft = (log_p.exp() * (log_p - log_q)).sum(1).mean()
    return alpha * T**2 * soft + (1 - alpha) * cross_entropy(student, y)


def distil(
    teacher: nn.Module,
    student: nn.Module,
    examples: Examples,
    rng: np.random.Generator,
    T: float = 4.0,
    alpha: float = 0.9,
    epochs: int = 5,
    lr: float = 1e-3,
    batch: int = 32,
) -> nn.Module:
    """A copy of the student, trained on the teacher's outputs, which are computed once, and on the labels."""
    targets = logits(teacher, examples.X)

    def loss(out: Tensor, y: Tensor, rows: Tensor) -> Tensor:
        return distillation_loss(out, targets[rows], y, T, alpha)

    return fit(student, examples, rng, epochs, lr, batch, loss)
