"""`mlsys check`: a whole notebook, from a fresh start."""

import re
from pathlib import Path

import nbformat
import pytest
from a_course import NOTEBOOK, PS, mlsys
from typer.testing import CliRunner

from mlsys.cli import app
from mlsys.grading import secret
from mlsys.grading.cells import answer_cell, check_cell, grade_id, is_written
from mlsys.grading.errors import CourseError
from mlsys.grading.selfcheck import BLANK, BY_HAND, CHECKED, UNCHECKED, check_notebook
from mlsys.problems import exercises, grader, problem

FIRST = exercises(PS)[0]


@pytest.fixture(autouse=True)
def public_cases(monkeypatch):
    """A student has no course secret."""
    monkeypatch.delenv(secret.VARIABLE, raising=False)


@pytest.fixture
def notebook(released):
    """The released notebook with the first exercise answered."""
    found = nbformat.read(released / "exercises" / PS / NOTEBOOK, as_version=4)
    cells = {grade_id(cell): cell for cell in found.cells}
    cells[answer_cell(FIRST)].source = grader(FIRST).reference.source(problem(FIRST).target)
    return found


def test_a_whole_notebook(notebook, tmp_path):
    path = tmp_path / NOTEBOOK
    nbformat.write(notebook, path)
    before = path.read_bytes()
    done = mlsys("check", path, folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [NOTEBOOK]
    for name in exercises(PS):
        assert name in done.stdout
        task = problem(name)
        line = f"{name}: 0 of {task.points:g} points: {task.target} is not written yet."
        assert (line in done.stdout.splitlines()) == (name != FIRST)
    assert "As above" not in done.stdout
    for cell in notebook.cells:
        assert not is_written(cell) or any(
            grade_id(cell) in line and BLANK in line for line in done.stdout.splitlines()
        )


def test_a_written_answer_is_marked_by_hand_and_a_blank_one_is_shown_blank(notebook, tmp_path):
    written = [cell for cell in notebook.cells if is_written(cell)]
    written[0].source = "Because the sum only grows."
    written[-1].source = "  "
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    status = {line.name: line.status for line in check_notebook(tmp_path / NOTEBOOK).lines}
    assert (status[grade_id(written[0])], status[grade_id(written[-1])]) == (BY_HAND, BLANK)
    assert status[FIRST] == CHECKED


def test_what_failed_is_named_and_the_rest_is_checked(notebook, tmp_path):
    by_name = {grade_id(cell): cell for cell in notebook.cells}
    notebook.cells.remove(by_name[check_cell(FIRST)])
    notebook.cells.insert(2, nbformat.v4.new_code_cell("scratch = 1 / 0"))
    path = tmp_path / "my work.ipynb"
    nbformat.write(notebook, path)
    report = check_notebook(path)
    assert not report.ran
    assert report.lines[0].points == problem(FIRST).points
    text = "\n".join(report.problems)
    assert f"named my work.ipynb; hand it in as {NOTEBOOK}" in text
    assert f"test cell of {FIRST} is gone" in text
    assert "`scratch = 1 / 0` raised ZeroDivisionError: division by zero" in text


@pytest.mark.parametrize(
    ("cell", "line", "said"),
    [
        ("imports", "import nonsense\n", "The cell that begins `import nonsense` raised ModuleNotFoundError"),
        (
            answer_cell(FIRST),
            "check = 5\n",
            f"The test cell of {FIRST} and {len(exercises(PS)) - 1} more raised TypeError",
        ),
    ],
)
def test_one_fault_that_stops_every_check_gives_one_message(notebook, tmp_path, cell, line, said):
    broken = {grade_id(found): found for found in notebook.cells}[cell]
    broken.source = line + broken.source
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    report = check_notebook(tmp_path / NOTEBOOK)
    assert not report.ran
    assert said in report.problems[0]
    assert report.problems[-1] == f"Not checked: {', '.join(exercises(PS))}."
    assert len(report.problems) <= 3
    assert {line.status for line in report.lines} == {UNCHECKED, BLANK}


DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; os._exit(3)", "kernel died"),
        (DEAF, "ran for more than 2 s and could not be stopped; no later cell was run."),
    ],
)
def test_a_notebook_that_does_not_end_well(notebook, tmp_path, code, said):
    notebook.cells.insert(0, nbformat.v4.new_code_cell(code))
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    report = check_notebook(tmp_path / NOTEBOOK, timeout_s=2)
    assert len(report.problems) == 2
    assert not report.ran
    assert said in report.problems[0]
    assert all(line.points is None for line in report.lines)


ENDLESS = """
def backtrack(f, w, g, first, shrink, c, limit):
    step = first
    while step > 0:
        f(w)
        f = lambda w: 0
"""


def test_a_cell_that_runs_too_long_is_stopped_and_the_later_ones_run(notebook, tmp_path):
    cells = {grade_id(cell): cell for cell in notebook.cells}
    loops, later = exercises(PS)[1], exercises(PS)[3]
    cells[answer_cell(loops)].source = ENDLESS.lstrip()
    cells[answer_cell(later)].source = grader(later).reference.source(problem(later).target)
    notebook.cells.append(
        nbformat.v4.new_code_cell("try:\n    while True: pass\nexcept KeyboardInterrupt: 1")
    )
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    done = mlsys("check", NOTEBOOK, "--timeout", "15", folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "Traceback" not in done.stdout
    assert f"Not checked: {loops}.\n" in done.stdout
    assert re.search(rf"{later}\W+2 ", done.stdout)
    late = "ran for more than 15 s and was stopped"
    assert re.search(rf"The test cell of {loops} {late} at `.*` \(line [345]\)\. The later", done.stdout)
    assert f"The cell that begins `try:` {late}" in done.stdout


def test_causes_stand_before_the_long_messages_and_lines_without_files(notebook, tmp_path):
    cells = {grade_id(cell): cell for cell in notebook.cells}
    broken, wrong = exercises(PS)[2], exercises(PS)[3]
    cells[answer_cell(broken)].source = "def adagrad_move(history, eta, delta)\n    return 0"
    cells[answer_cell(wrong)].source = "def adagrad_step(r, w, g, eta, delta):\n    return r, w"
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    out = mlsys("check", NOTEBOOK, folder=tmp_path).stdout
    cause = f"The cell of {broken} raised SyntaxError: expected ':' (line 1)\n"
    assert f"{cause}2 later cells failed only because of that.\nNot checked: {broken}.\n" in out
    assert out.index(cause) < out.index(f"{wrong}: 0 of 2 points\n")


@pytest.mark.parametrize("source", ["4.0", "check('{name}', None)\n{points} + 1", "!ls", "print(5"])
def test_an_edited_test_cell_gives_what_the_original_gives(notebook, tmp_path, source):
    cells = {grade_id(cell): cell for cell in notebook.cells}
    cell, other = cells[check_cell(FIRST)], cells[check_cell(exercises(PS)[1])]
    cell.source = source.format(name=FIRST, points=problem(FIRST).points)
    other.source = "# my own note\n\n" + other.source.replace(", ", ",  ")
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    report = check_notebook(tmp_path / NOTEBOOK)
    assert report.problems == (f"The test cell of {FIRST} was changed; the original was run.",)
    assert report.lines[0].points == problem(FIRST).points
    assert report.ran


def test_more_points_than_there_are_count_as_none(notebook, tmp_path):
    cells = {grade_id(cell): cell for cell in notebook.cells}
    cells[answer_cell(FIRST)].source = "def check(*given):\n    return 99.0\n\npolyak_step = None"
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    report = check_notebook(tmp_path / NOTEBOOK)
    assert not report.ran
    assert {line.points for line in report.lines} == {None}


def test_what_is_borrowed_earns_nothing_in_the_table_either(notebook, tmp_path):
    cells = {grade_id(cell): cell for cell in notebook.cells}
    answer = cells[answer_cell(FIRST)]
    answer.source = f"import mlsys.optim\n{answer.source}".replace("    ", "    mlsys.optim\n    ", 1)
    nbformat.write(notebook, tmp_path / NOTEBOOK)
    report = check_notebook(tmp_path / NOTEBOOK)
    line = report.lines[0]
    said = (
        f"The cell of {FIRST} imports mlsys.optim, which is absent when this is graded: there the cell fails."
    )
    assert report.problems == (said,)
    assert not report.ran
    assert line.points == 0
    assert "✗" not in line.message
    assert "It uses mlsys.optim, which is absent when this is graded" in line.message


def test_files_that_are_no_notebooks_of_ours(tmp_path):
    (tmp_path / "other.ipynb").write_text("{")
    with pytest.raises(CourseError, match=r"no file .*there are: other\.ipynb"):
        check_notebook(tmp_path / NOTEBOOK)
    with pytest.raises(CourseError, match="cannot be used: it is not JSON from line 1"):
        check_notebook(tmp_path / "other.ipynb")
    for name, text, said in [
        ("a.ipynb", " \n", "the file is empty"),
        ("a.txt", "text", "this is not a notebook"),
        ("b.txt", "", "this is not a notebook"),
    ]:
        (tmp_path / name).write_text(text)
        with pytest.raises(CourseError, match=said):
            check_notebook(tmp_path / name)
    with pytest.raises(CourseError, match="is a folder"):
        check_notebook(tmp_path)
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "empty.ipynb")
    with pytest.raises(CourseError, match=r"holds no exercise of a problem set\. There are: ps1"):
        check_notebook(tmp_path / "empty.ipynb")


def test_a_notebook_that_is_elsewhere_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CourseError, match=f"This is the folder {tmp_path}. No problem set lies below it"):
        check_notebook(Path(NOTEBOOK))
    for place in ("exercises", ".hidden", "a/b/c/d/e"):
        (tmp_path / place / PS).mkdir(parents=True)
        (tmp_path / place / PS / NOTEBOOK).touch()
    (tmp_path / "exercises" / "other.ipynb").touch()
    with pytest.raises(CourseError, match=f"Below it there are: exercises/{PS}/{NOTEBOOK}.$"):
        check_notebook(Path(NOTEBOOK))


def test_the_command_says_what_to_do_without_a_traceback(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command, said in [
        (("check", "nope.ipynb"), "no file nope.ipynb"),
        (("grade", "ps9"), "no problem set 'ps9'. There are: ps1"),
        (("grade", PS), "holds no nbgrader_config.py"),
        (("release",), "name one problem set, or say --all"),
    ]:
        done = CliRunner().invoke(app, list(command))
        assert done.exit_code == 2
        assert said in done.stderr
        assert "Traceback" not in done.output
