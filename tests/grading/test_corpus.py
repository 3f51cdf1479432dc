"""The corpus itself: every kind of attack is there, every case can be handed in, and the canaries sing when touched."""

import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from a_course import NOTEBOOK, PS, REPOSITORY
from issue_checklist import CHECKLIST
from world import ORPHAN, Active, World, orphans

from mlsys.grading.cells import answer_cell, check_cell, grade_id
from mlsys.grading.demo import corpus
from mlsys.grading.demo.answers import known
from mlsys.grading.demo.submission import Limits, Outside, Submission, roles
from mlsys.grading.mend import Unreadable, parse
from mlsys.problems import exercises, problem

CASES = [*corpus.hostile(), *corpus.honest()]
KINDS = ("stalls", "resources", "files", "escape", "forgery")


@pytest.fixture(scope="module")
def notebook():
    return nbformat.read(REPOSITORY / "exercises" / PS / NOTEBOOK, as_version=4)


def handed_in(case, notebook, folder):
    mine = Submission(
        notebook, folder / NOTEBOOK, PS, Outside(Path("/nowhere")), case.expect.attacked, Limits(2, 10)
    )
    case.hand_in(mine)
    mine.write()
    return mine


def test_there_are_enough_and_every_name_is_there_once():
    hostile = corpus.hostile()
    assert len(hostile) >= 40
    assert {case.kind for case in hostile} == set(KINDS)
    assert len({case.name for case in CASES}) == len(CASES)
    assert len({case.student for case in CASES}) == len(CASES)


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_the_issue_lists_has_a_case(kind):
    names = {case.name for case in corpus.hostile() if case.kind == kind}
    assert not {word: wanted for word, wanted in CHECKLIST[kind].items() if not set(wanted) <= names}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.student)
def test_a_case_says_what_it_does_and_changes_the_submission(case, notebook, tmp_path):
    assert len(case.title) > 15
    assert case.title.endswith(".")
    right = Submission(notebook, tmp_path / "right.ipynb", PS, Outside(tmp_path), case.expect.attacked)
    mine = handed_in(case, notebook, tmp_path)
    beside = [p for p in tmp_path.iterdir() if p.name != NOTEBOOK]
    assert beside or not mine.path.is_file() or mine.path.read_bytes() != right.bytes()
    assert [cell.source for cell in notebook.cells] == [
        cell.source for cell in nbformat.read(REPOSITORY / "exercises" / PS / NOTEBOOK, as_version=4).cells
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.student)
def test_code_in_the_corpus_has_no_slips(case, notebook, tmp_path):
    """An attack that ends in a syntax error of ours attacks nothing."""
    mine = handed_in(case, notebook, tmp_path)
    for cell in mine.notebook.cells:
        if (
            cell.cell_type == "code"
            and not re.search(r"^\s*[%!]", cell.source, re.M)
            and "\0" not in cell.source
        ):
            compile(cell.source, case.name, "exec", flags=0x2000)  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.student)
def test_an_attacked_exercise_is_not_answered_rightly(case, notebook, tmp_path):
    """Otherwise the case would show nothing."""
    mine = handed_in(case, notebook, tmp_path)
    cells = {grade_id(cell): cell for cell in mine.notebook.cells}
    for role in case.expect.attacked:
        name = roles(PS)[role]
        if answer_cell(name) in cells:
            reference = known(name)["reference"].source(problem(name).target).strip()
            assert reference not in cells[answer_cell(name)].source


def test_what_must_happen_is_a_range_of_points_for_each_exercise():
    here, after = roles(PS)["here"], roles(PS)["next"]
    full = {name: problem(name).points for name in exercises(PS)}
    points = corpus.Expect(others=corpus.EARLIER).known(PS)["points"]
    assert list(points) == list(exercises(PS))
    assert points[here] == [0, 0]
    assert points[after] == [0, full[after]]
    assert points[exercises(PS)[0]] == [full[exercises(PS)[0]]] * 2
    served = roles(PS)["served"]  # left blank: it takes longer than all others together
    assert corpus.HARMLESS.known(PS)["points"] == {n: [0 if n == served else p, p] for n, p in full.items()}
    nothing = corpus.Expect(attacked=(), others=corpus.NONE).known(PS)["points"]
    assert set(map(tuple, nothing.values())) == {(0, 0)}
    flag = corpus.Expect(flag="HERE.*late").known(PS)["flag"]
    assert re.search(flag, f"{here}: came late")


def test_a_corpus_that_is_not_there_is_said(tmp_path):
    with pytest.raises(corpus.CourseError, match="comes with the repository"):
        corpus.load(tmp_path)


def test_the_notebooks_of_most_cases_can_be_read(notebook, tmp_path):
    """Cases about code have to be notebooks; those of the kind `files` need not."""
    for case in CASES:
        folder = tmp_path / case.student
        folder.mkdir()
        mine = handed_in(case, notebook, folder)
        if case.kind != "files":
            cells = {grade_id(cell) for cell in parse(mine.path.read_bytes()).cells}
            assert {check_cell(name) for name in exercises(PS)} <= cells
    broken = next(case for case in CASES if case.name == "corrupt_json")
    with pytest.raises(Unreadable):
        parse((tmp_path / broken.student / NOTEBOOK).read_bytes())


@pytest.fixture
def world(course, tmp_path):
    made = World(course, tmp_path)
    course.folder("submitted", "demo-ada", PS).mkdir(parents=True)
    made.begin()
    yield made
    made.close()


def soon(true):
    end = time.monotonic() + 5
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


def test_a_world_that_nobody_touches_says_nothing(world):
    assert world.harm() == []
    assert world.seen("nobody") == []


def test_every_service_tells_the_secret_and_who_asked(world):
    asked = [(socket.AF_INET, ("127.0.0.1", world.outside.port))]
    asked += [(socket.AF_UNIX, world.outside.socket), (socket.AF_UNIX, "\0" + world.outside.socket)]
    for family, address in asked:
        with socket.socket(family) as s:
            s.connect(address)
            assert s.recv(1000).decode() == world.secret
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(b"hello", asked[0][1])
        assert s.recv(1000).decode() == world.secret
    assert soon(lambda: len(world.contacts) == 4), world.contacts


def test_what_is_changed_written_or_stopped_is_seen(world):
    (world.course.root / "solutions" / "notes.txt").write_text("other")
    (world.course.root / "submitted" / "left_behind").write_text("x")
    world.bystander.kill()
    world.bystander.wait()
    found = "\n".join(world.harm())
    for text in ("changed: ", "written: ", "the bystander was killed"):
        assert text in found


def test_what_was_printed_is_seen(world):
    folder = world.course.folder("autograded", "ann", PS)
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text(f"one {world.secret} two")
    assert world.seen("ann") == ["it saw the canary"]


def test_an_orphan_is_found():
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", ORPHAN])
    try:
        assert soon(lambda: left.pid in orphans())
    finally:
        left.kill()
        left.wait()


@pytest.mark.parametrize(
    "page",
    [
        "<p><script>window.canary = 1</script></p>",
        "<img src=x onerror='window.canary = 2'>",
        "<a href='javascript:window.canary=3'>x</a>",
        "<iframe srcdoc='<script>parent.canary = 5</script>'></iframe>",
        "<svg onload='window.canary = 4'/>",
    ],
)
def test_what_would_run_in_a_browser_is_seen(page):
    assert Active(page).found
    assert not Active(page.replace("<", "&lt;")).found
    assert not Active("<script>var math = 1</script><p>canary</p>").found
