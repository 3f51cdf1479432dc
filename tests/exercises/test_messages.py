"""What a student reads: messages that say what is wrong and never leave one stuck."""

import importlib

import numpy as np
import pytest
import torch

from mlsys.problems import SETS, exercises, grader, problem
from mlsys.problems.coerce import Unfit, array, number, parts
from mlsys.problems.compare import close
from mlsys.problems.hints import DIGITS
from mlsys.problems.judging import judge

NAMES = [name for assignment in SETS for name in exercises(assignment)]
SERVED = [name for name in NAMES if problem(name).practice]
MISTAKES = [(name, key) for name in NAMES for key, wrong in grader(name).wrong.items() if wrong.hint]
SPOKEN = {}
for package in SETS.values():
    SPOKEN |= importlib.import_module(f"spoken_{package.rpartition('.')[2]}").SPOKEN


def told(name, answer, seed=0):
    outcomes = judge(problem(name), grader(name), answer, np.random.default_rng(seed))
    return "\n".join(verdict.message for _, verdict in outcomes)


@pytest.mark.parametrize(("name", "key"), MISTAKES)
def test_a_known_mistake_is_named_once(name, key):
    wrong = grader(name).wrong[key]
    assert told(name, wrong.build(problem(name).target)).count(wrong.hint) == 1


def test_every_mistake_without_a_hint_has_words_that_the_case_must_say():
    without = {
        (n, key) for n in NAMES for key, wrong in grader(n).wrong.items() if not wrong.hint and key != "paste"
    }
    assert without == set(SPOKEN)


@pytest.mark.parametrize(("name", "key"), SPOKEN)
def test_a_mistake_without_a_hint_is_told_by_the_case_itself(name, key):
    text = told(name, grader(name).wrong[key].build(problem(name).target))
    assert SPOKEN[name, key] in text
    assert not any(wrong.hint in text for wrong in grader(name).wrong.values() if wrong.hint)


@pytest.mark.parametrize("name", NAMES)
def test_the_stub_is_called_unwritten_once(name):
    def stub(*args, **kwargs):
        raise NotImplementedError("your code here")

    first, *others = told(name, stub).split("\n")
    assert first == f"{problem(name).target} is not written yet."
    assert set(others) == {"As above."}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "result", [None, "text", [], {}, np.nan, [None], np.zeros((2, 2, 2)), object(), (1, 2, 3, 4)]
)
def test_any_result_gets_a_message(name, result):
    def answer(*args):
        return result

    messages = told(name, answer)
    assert messages.strip()
    assert "Traceback" not in messages


@pytest.mark.parametrize(
    ("name", "result", "words"),
    [
        ("adagrad.running", np.zeros(2), "return (r, w): got a single array of shape (2,)"),
        ("adagrad.running", None, "return (r, w): got None. Is there a return?"),
        (
            "polyak.step",
            ("0.5", np.zeros(2)),
            "alpha, the first of the two, should be one number; it is '0.5'.",
        ),
        ("adagrad.history", [1.0], "it has shape (1,). Does a loop over the coordinates end too early?"),
        ("polyak.step", (1.0,), "return (alpha, w): got 1 values instead of 2"),
        (
            "polyak.step",
            (np.zeros(2), 1.0),
            "alpha, the first of the two, should be one number; it has shape (2,). The order is (alpha, w).",
        ),
        (
            "polyak.step",
            (np.zeros(1), 1.0),
            "w should have shape (1,); it has shape (). The order is (alpha, w).",
        ),
        ("backtracking.search", 0.5, "return (step, evaluations): got 0.5"),
        ("adagrad.history", np.zeros((2, 2)), "the move should have shape (2,); it has shape (2, 2)"),
        ("adadelta.generator", np.zeros(2), "A generator is expected"),
        ("adadelta.generator", iter([]), "The generator ended after 0 points"),
        ("cost.count", (0, 1), "return (state_bytes, read_bytes, written_bytes): got 2 values instead of 3"),
        (
            "sparse.project",
            None,
            "the returned weights should be an array of numbers; it is None. Is there a return?",
        ),
    ],
)
def test_a_result_of_the_wrong_form_is_told_what_to_return(name, result, words):
    assert words in told(name, lambda *args: result)


def test_the_order_is_not_spoken_of_where_another_thing_is_wrong():
    for result in ((1.0, 1.0), (np.zeros(2), np.zeros(2)), ("0.5", np.zeros(2))):
        assert "The order is" not in told("polyak.step", lambda *args, result=result: result)


def test_what_another_function_has_not_written_is_said_of_that_one():
    def adagrad_step(*given):
        raise NotImplementedError("your code here")

    class RMSProp:
        def __init__(self, *given):
            raise NotImplementedError

    def calls(other):
        return lambda *given: other(*given)

    minimise, step = calls(adagrad_step), "adagrad_step, which minimise calls, is not written yet."
    assert told("sparse.project", minimise).startswith(step)
    assert told("sparse.project", calls(RMSProp)).startswith(
        "RMSProp, which minimise calls, is not written yet."
    )
    assert told("adagrad.running", adagrad_step).startswith("adagrad_step is not written yet.")
    assert told("rmsprop.class", RMSProp).startswith("RMSProp is not written yet.")
    assert "To look closer" not in told("sparse.project", minimise)


def test_a_gradient_may_be_asked_for_a_step_ahead_and_no_more():
    def ahead(gradient, w, rho, a, b):
        r, s, g = 0 * w, 0 * w, gradient(w)
        while True:
            r = rho * r + (1 - rho) * g**2
            v = np.sqrt(s + a**2) / np.sqrt(r + b**2) * g
            s = rho * s + (1 - rho) * v**2
            w = w - v
            g = gradient(w)
            yield w

    assert told("adadelta.generator", ahead).strip() == ""


@pytest.mark.parametrize("name", SERVED)
def test_a_replay_on_practice_data_says_that_they_are_not_the_cases(name):
    text = told(name, grader(name).wrong["paste"].build(problem(name).target))
    assert "of the same kind, not those of the case" in text


def test_the_first_step_is_explained_in_numbers():
    def answer(r, w, g, eta, delta):
        return r + g**2, w - 3 * eta * np.sign(g)

    assert "both weights should have moved by eta = 0.1, against the gradient: by" in told(
        "adagrad.running", answer
    )


def test_the_first_wrong_step_of_a_path_is_named():
    reference = grader("adagrad.running").reference.build("adagrad_step")

    def answer(r, w, g, eta, delta):
        r, w = reference(r, w, g, eta, delta)
        return (r, w) if r.max() < 8 else (r, w + 0.1)

    assert ", the first that differs, should be [" in told("adagrad.running", answer)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SERVED])
def test_a_failed_case_can_be_replayed(name, capsys):
    task, theirs = problem(name), grader(name)
    answer = theirs.right[next(iter(theirs.right))].build(task.target)
    assert "To look closer, run in a cell of its own:" in told(name, theirs.wrong["paste"].build(task.target))
    for case in task.cases(np.random.default_rng(0)):
        exec(task.replay(case), {"np": np, task.target: answer})
    assert "nan" not in capsys.readouterr().out


def test_evaluations_that_are_hidden_are_found():
    reference = grader("backtracking.search").reference.build("backtrack")

    def answer(f, w, g, first, shrink, c, limit):
        f(w)
        return reference(f, w, g, first, shrink, c, limit)

    def without_f_of_w(f, w, g, first, shrink, c, limit):
        f(w - first * g)
        return first, 2

    assert "f was called 3 times where 2 are enough" in told("backtracking.search", answer)
    assert "f was called 1 times where 2 are needed: f(w) once" in told("backtracking.search", without_f_of_w)


def test_endless_searches_and_loops_without_yield_end():
    def search(f, w, *rest):
        while True:
            f(w)

    def points(gradient, w, rho, a, b):
        while True:
            gradient(w)
        yield w

    assert "Does the search end?" in told("backtracking.search", search)
    assert "Is there a yield in the loop?" in told("adadelta.generator", points)


@pytest.mark.parametrize("name", ["adagrad.history", "polyak.step"])
def test_numbers_in_few_digits_are_called_so(name):
    reference = grader(name).reference.build(problem(name).target)

    def answer(*given):
        result = reference(*given)
        return [
            torch.as_tensor(x).to(torch.bfloat16) for x in (result if name == "polyak.step" else [result])
        ][slice(None) if name == "polyak.step" else 0]

    assert told(name, answer).count(DIGITS) == 1


@pytest.mark.parametrize(
    ("name", "key"), [(n, key) for n in NAMES for key in grader(n).wrong if "delta" in key or "once" in key]
)
def test_a_formula_that_is_wrong_is_not_called_rounded(name, key):
    assert DIGITS not in told(name, grader(name).wrong[key].build(problem(name).target))


@pytest.mark.parametrize(
    "value",
    [
        [1, 2],
        (1.0, 2.0),
        np.array([1, 2]),
        torch.tensor([1.0, 2.0], requires_grad=True),
        [torch.tensor(1.0), np.float32(2)],
    ],
)
def test_reasonable_objects_are_numbers(value):
    np.testing.assert_array_equal(array(value, shape=(2,)), [1.0, 2.0])


def test_half_precision_tensors_are_numbers():
    assert array(torch.ones(2, dtype=torch.bfloat16)).dtype == np.float64
    assert number(torch.tensor([3]), "x") == 3


def test_an_object_that_agrees_with_everything_gains_nothing():
    class Yes(np.ndarray):
        def __eq__(self, other):
            return True

    forged = np.zeros(2).view(Yes)
    assert type(array(forged)) is np.ndarray
    assert close({"w": array(forged)}, {"w": np.ones(2)}).score == 0


def test_parts_come_from_tuples_lists_and_rows():
    for value in ((1, 2), [1, 2], np.array([[1], [2]])):
        assert [int(np.squeeze(x)) for x in parts(value, "a", "b")] == [1, 2]
    with pytest.raises(Unfit, match=r"return \(a, b\): got 3"):
        parts(3, "a", "b")


def test_nan_and_infinity_are_never_close_to_numbers():
    for bad in (np.nan, np.inf, -np.inf):
        assert close({"w": np.array([bad, 1.0])}, {"w": np.ones(2)}).score == 0
        assert close({"w": np.ones(2)}, {"w": np.array([bad, 1.0])}).score == 0
        assert close({"w": np.array([bad, 1.0])}, {"w": np.array([bad, 1.0])}).score == 1
