"""The ledger against what a test cell shows: the ledger decides, and what disagrees is named."""

import pytest
from a_course import PS
from nbformat.v4 import new_code_cell, new_notebook, new_output

from mlsys.grading.cells import check_cell
from mlsys.grading.engine.checker import Entry
from mlsys.grading.ledger import settle
from mlsys.problems import exercises

NAME = exercises(PS)[0]
ERROR = new_output("error", ename="Enough", evalue="", traceback=[])
printed = []  # what the cell settled last prints


def result(text):
    return new_output("execute_result", {"text/plain": text}, execution_count=1)


def settled(ledger, *outputs, reason=""):
    """The scores left in the test cell, and the flags."""
    settings = {"grade": True, "grade_id": check_cell(NAME), "points": 2.0}
    cell = new_code_cell("check()", outputs=[*outputs], metadata={"nbgrader": settings}, execution_count=1)
    flags = settle(new_notebook(cells=[cell]), PS, ledger, reason)
    printed[:] = [o.text for o in cell.outputs if o.output_type == "stream"]
    return [o.data["text/plain"] for o in cell.outputs if o.output_type == "execute_result"], flags


@pytest.mark.parametrize("shown", ["2.0", "True", "np.float64(2.0)", "nan", "99.0"])
def test_a_result_that_is_not_the_checkers_is_replaced_and_named(shown):
    scores, (flag,) = settled({NAME: Entry(0.5, "half")}, result(shown))
    assert scores == ["0.5"]
    assert f"{NAME}: its test cell shows" in flag


@pytest.mark.parametrize("shown", ["0.5", "0.50"])
def test_the_checkers_own_score_is_no_matter(shown):
    assert settled({NAME: Entry(0.5, "half")}, result(shown)) == (["0.5"], [])


def test_of_several_results_none_but_the_checkers_is_left():
    scores, flags = settled({NAME: Entry(0.0, "none")}, result("2.0"), result("0.0"), ERROR)
    assert scores == ["0.0"]
    assert len(flags) == 1


@pytest.mark.parametrize("shown", ["2.0", "True"])
def test_a_score_shown_before_an_error_earns_nothing_where_no_answer_came(shown):
    """nbgrader reads the outputs in their order, and stops at the first score."""
    scores, (flag,) = settled({}, result(shown), ERROR)
    assert scores == []
    assert "no answer came to the checker" in flag


def test_an_error_alone_is_left_as_it_is():
    assert settled({}, ERROR) == ([], [])


def test_where_no_answer_came_the_score_is_0():
    assert settled({}, result("2.0"))[0] == ["0.0"]
    assert settled({})[0] == ["0.0"]


def test_the_student_reads_why_nothing_was_earned():
    settled({}, reason="the notebook ended Python (code 0)")
    assert printed == [
        f"{NAME}: 0 points. It was not checked, because before it the notebook ended Python (code 0).\n"
    ]
    frames = ["Cell In[3], line 2, in polyak_step", "File /tmp/mlsys-package-x/mlsys/grading/check.py:30"]
    stopped = new_output("error", ename="KeyboardInterrupt", evalue="", traceback=frames)
    settled({}, stopped, new_output("error", ename="CellTimeoutError", evalue="", traceback=[]))
    assert printed == [f"{NAME}: 0 points. This cell ran too long and was stopped.\n"]
    assert stopped.traceback == frames[:1]
