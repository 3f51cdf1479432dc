"""Problem set 4: its line and its device keep their own rules, and the figures in its text are true."""

import math

import numpy as np
import pytest

from mlsys.grading import practice
from mlsys.problems import grader, problem
from mlsys.problems.coerce import Unfit
from mlsys.problems.ps4 import small_device
from mlsys.problems.ps4.batch_line import Line, Load, load
from mlsys.problems.ps4.grader.budget_project import LOST


def reference(name):
    return grader(name).reference.build(problem(name).target)


# The line


class Says:
    """A batcher that says what it is told to, one event after the other, and then nothing."""

    def __init__(self, *decisions):
        self.decisions = list(decisions)

    def event(self, now, arrived, idle):
        return self.decisions.pop(0) if self.decisions else ([], [], math.inf)


def two_requests():
    return Line(Load(np.array([5, 9]), np.array([50, 60]), 2, 10, 5, 10, 3))


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ([([7], [], math.inf)], "request 7 is named, which does not wait"),
        ([([0], [0], math.inf)], "a request is named twice"),
        ([([], [0], math.inf), ([], [1], math.inf)], "while another one is computed"),
        ([([], [], 5)], "wake is 5: it must be later than now"),
        ([([], [], math.nan)], "wake is nan: it must be later than now"),
        ([([], ["a"], math.inf)], "two lists of ids and a time"),
        ([([], [])], "got 2 values instead of 3"),
        ([], r"the requests \[0, 1\] still wait"),
    ],
)
def test_what_cannot_be_is_refused_in_words(decisions, words):
    with pytest.raises(Unfit, match=words):
        two_requests().serve(Says(*decisions))


def test_a_batch_larger_than_most_is_refused():
    line = Line(Load(np.array([5, 5, 5]), np.array([50, 50, 50]), 2, 10, 5, 10, 3))
    with pytest.raises(Unfit, match="a batch of 3 is to start; most = 2"):
        line.serve(Says(([], [0, 1, 2], math.inf)))


def test_a_batcher_that_is_asked_without_end_is_stopped():
    class Always:
        def event(self, now, arrived, idle):
            return [], [], now + 1

    with pytest.raises(Unfit, match="Is wake always near"):
        two_requests().serve(Always())


@pytest.mark.parametrize("seed", range(8))
def test_the_reference_answers_nobody_late_and_no_batch_is_too_large(seed):
    rng = np.random.default_rng(seed)
    drawn = load(rng, 60, float(rng.uniform(2, 12)), (13, 150), most=int(rng.integers(1, 9)), room=12)
    log = Line(drawn).serve(reference("dynamic.batcher")(*drawn[2:]))
    assert log.late(drawn) == 0
    assert ((log.start >= 0) ^ (log.refused >= 0)).all()
    assert max(len(ids) for _, ids in log.batches) <= drawn.most
    ends = [start + drawn.fixed + drawn.each * len(ids) for start, ids in log.batches]
    assert all(end <= start for end, (start, _) in zip(ends[:-1], log.batches[1:], strict=True))


def test_the_log_counts_late_answers():
    drawn = Load(np.array([5, 9]), np.array([17, 60]), 2, 10, 5, 10, 3)
    log = Line(drawn).serve(Says(([], [0], math.inf), ([], [], math.inf), ([], [1], math.inf)))
    assert log.start.tolist() == [5, 18]
    assert log.late(drawn) == 1  # 5 + 13 = 18, a millisecond after 17


# The device

TASK = small_device.task(3)


def served():
    project = grader("budget.project")
    return project.serve(problem("budget.project").cases(np.random.default_rng(1))[0])


def test_trials_are_counted_and_nothing_else_can_be_read():
    given = served().given
    assert set(given) == {"W1", "b1", "W2", "b2", "X", "y", "device"}
    device, net = given["device"], [given[name] for name in ("W1", "b1", "W2", "b2")]
    assert [name for name in dir(device) if name[0] != "_"] == ["left", "most_bytes", "most_work", "trial"]
    with pytest.raises(ValueError, match=r"b1 should have shape|W1 should have shape"):
        device.trial(net[0][:, :3], *net[1:], 8)
    with pytest.raises(ValueError, match="2 numbers that are not finite"):
        device.trial(net[0], np.where(np.arange(40) < 2, np.nan, net[1]), *net[2:], 8)
    with pytest.raises(ValueError, match="bits must be a whole number from 2 to 16"):
        device.trial(*net, 2.5)
    assert device.left == small_device.TRIALS
    for _ in range(small_device.TRIALS):
        device.trial(*net, 8)
    with pytest.raises(small_device.BudgetSpent):
        device.trial(*net, 8)
    with pytest.raises(AttributeError):
        device.left = 100


def test_bytes_and_work_by_hand():
    net = small_device.Net(np.ones((16, 3)), np.ones(3), np.ones((3, 5)), np.ones(5))
    assert small_device.size_bytes(net, 4) == 24 + 8 + 2 * (3 + 5) + 4 * (
        3 + 5
    )  # 48 and 15 numbers of 4 bits
    assert small_device.work(net, 4) == (48 + 15) / 2
    half = net._replace(W1=np.where(np.arange(16)[:, None] < 2, 1.0, 0.0) * net.W1)
    assert small_device.size_bytes(half, 8) == 6 + 6 + 15 + 16 + 32  # 48 bits of a map, six numbers of a byte
    assert small_device.work(half, 8) == small_device.work(net, 8)


def test_rounding_is_within_half_a_step_and_sixteen_bits_lose_nothing():
    W = TASK.net.W1
    for bits in (3, 8):
        steps = np.abs(W).max(axis=0) / (2 ** (bits - 1) - 1)
        assert (np.abs(small_device.rounded(W, bits) - W) <= steps / 2 + 1e-12).all()
    X, y = small_device.part(TASK, "test")
    before = small_device.accuracy(TASK.net, X, y)
    assert abs(small_device.accuracy(small_device.stored(TASK.net, 16), X, y) - before) < 0.002
    assert before > 0.9


def test_examples_kept_apart_are_others():
    parts = [small_device.part(TASK, which)[0] for which in ("given", "valid", "test")]
    assert [len(part) for part in parts] == [1500, 1000, 4000]
    assert sum(map(len, parts)) == len(TASK.X)


@pytest.mark.parametrize("seed", range(6))
def test_neither_bits_nor_units_alone_will_do_and_the_reference_loses_little(seed):
    net, X, y, device, test = practice("budget.project", seed)
    for bits in (2, 3, 4):
        size, work, _ = device.trial(*net, bits)
        assert size > device.most_bytes
        assert work > device.most_work
    smaller = reference("budget.project")(net, X, y, device)
    size, work, _ = device.trial(*smaller)
    assert size <= device.most_bytes
    assert work <= device.most_work
    assert test(*net, 16) - test(*smaller) < 0.6 * LOST


# The figures in the text


def test_a_stall_of_two_seconds_is_seen_from_due_alone():
    n = 1000
    due, took = 0.1 * np.arange(n), np.random.default_rng(0).uniform(0.02, 0.05, size=n)
    took[500] = 2.0
    sent, done = due.copy(), due + took
    for i in range(1, n):
        sent[i] = max(due[i], done[i - 1])
        done[i] = sent[i] + took[i]
    report = reference("latency.trace")
    assert report(due, sent, done, [99], 0.1)[0][0] > 1.2
    assert report(sent, sent, done, [99], 0.1)[0][0] < 0.05


def test_what_is_left_of_the_squares():
    w, mask = np.random.default_rng(0).normal(size=(64, 256)), reference("pruning.mask")
    left = [
        (w[mask(w, np.ones(256), keep, pattern)] ** 2).sum() / (w**2).sum()
        for keep, pattern in ((w.size // 2, None), (None, (2, 4)))
    ]
    np.testing.assert_allclose(left, [0.93, 0.87], atol=0.01)


def test_the_gradient_of_the_distillation_loss():
    rng = np.random.default_rng(0)
    (z, t), loss = rng.normal(size=(2, 4, 3)), reference("distillation.loss")
    labels = np.array([0, -1, 2, 1])
    _, gradient = loss(z, t, labels, 3.0, 0.6)
    for i in range(4):
        for k in range(3):
            step = 1e-6 * np.outer(np.eye(4)[i], np.eye(3)[k])
            up, down = (loss(z + sign * step, t, labels, 3.0, 0.6)[0] for sign in (1, -1))
            np.testing.assert_allclose(gradient[i, k], (up - down) / 2e-6, atol=1e-7)
    _, hot = loss(z, t, np.full(4, -1), 1e5, 1.0)
    off = (z - t) - (z - t).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(hot, off / (3 * 4), atol=1e-4)


def test_a_hundred_features_are_off_by_about_eight_hundredths():
    rng, errors = np.random.default_rng(0), []
    X = rng.normal(size=(30, 10))
    for D in (100, 10_000):
        Z, K = reference("random.features")(
            X, np.full(10, 2.0), rng.normal(size=(D, 10)), rng.uniform(0, 2 * np.pi, size=D)
        )
        errors.append(np.sqrt(np.mean((Z @ Z.T - K) ** 2)))
    np.testing.assert_allclose(errors, [0.08, 0.008], rtol=0.3)


def test_levels_are_within_half_a_step_where_nothing_is_dropped():
    x = np.random.default_rng(0).normal(size=(5, 100))
    for bits in (2, 4, 8):
        for scheme in ("symmetric", "affine"):
            q, scale, zero = reference("quantise.grid")(x, bits, scheme, 0)
            assert (q == np.round(q)).all()
            # affine, the ends may lie half a step beyond the last level, as the zero point is rounded
            assert (np.abs((q - zero[:, None]) * scale[:, None] - x) <= scale[:, None] * (1 + 1e-9)).all()


def test_the_separable_layer_is_its_dense_convolution_where_nothing_is_cut():
    rng = np.random.default_rng(0)
    x, depth, point = rng.uniform(size=(2, 5, 5)), rng.uniform(size=(2, 3, 3)) / 9, rng.normal(size=(3, 2))
    y, work = reference("separable.layer")(x, depth, point, 1)
    dense = point[:, :, None, None] * depth
    inside = np.zeros((3, 3, 3))
    for o, a, b in np.ndindex(3, 3, 3):
        inside[o, a, b] = (dense[o] * x[:, a : a + 3, b : b + 3]).sum()
    np.testing.assert_allclose(y[:, 1:4, 1:4], inside)
    assert work / (25 * dense.size) == pytest.approx(1 / 3 + 1 / 9)
