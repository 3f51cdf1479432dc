"""The gradebook on a PostgreSQL server: the same marks as in SQLite's file, several graders at once included."""

import shutil
import threading

import pytest
import servers
from a_course import PS
from crashing import (
    CLASS,
    FIRST,
    REPLAYS,
    first_time,
    forked,
    hand_in,
    killed,
    mark_by_hand,
    run,
    second_time,
    state,
)
from sqlalchemy import create_engine, text

from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError
from mlsys.grading.journal import CUT_OFF
from mlsys.grading.release import feedback_for_all, release

pytest.importorskip("psycopg", reason="pip install 'mlsys[cluster]'")
pytestmark = pytest.mark.skipif(not servers.tools(), reason=f"needs Debian's package {servers.PACKAGE}")


@pytest.fixture(scope="module")
def database(released, tmp_path_factory):
    """Databases in which the problem set is released."""
    folder = tmp_path_factory.mktemp("first") / "course"
    shutil.copytree(released, folder)
    (folder / "gradebook.db").unlink()
    with servers.postgresql() as made:
        release(Course(folder, made("released")), PS)
        yield lambda name, model="released": made(name, model)


@pytest.fixture(scope="module")
def graded(released, tmp_path_factory):
    """A class graded into SQLite: its folder before that, a replay, and what was left."""
    folder = tmp_path_factory.mktemp("sqlite")
    shutil.copytree(released, folder / "course")
    course, replays = Course(folder / "course"), REPLAYS
    first_time(course)
    second_time(course)
    hand_in(course, "dan", FIRST)
    shutil.copytree(course.root, folder / "before")
    with replays.recording():
        run(course)
    mark_by_hand(course, "cy")
    with replays.replaying():
        run(course)
    return folder / "before", replays, state(course)


def at(before, url, folder):
    """The class in a folder of its own, its gradebook on the server."""
    shutil.copytree(before, folder)
    (folder / "gradebook.db").unlink()
    return Course(folder, url)


def without_place(found):
    return {k: v for k, v in found.items() if k != "journal"}


def test_the_same_marks(graded, database, tmp_path):
    before, replays, after = graded
    course = at(before, database("same"), tmp_path / "course")
    with replays.replaying():
        run(course)
        mark_by_hand(course, "cy")
        run(course)
        assert without_place(state(course)) == without_place(after)
        assert not any(r.redone for r in run(course, resume=True).values())
    assert not (course.root / "gradebook.db").exists()
    assert feedback_for_all(course, PS) == (list(CLASS), {})
    assert "a-password" not in (course.root / ".mlsys" / f"journal-{PS}.jsonl").read_text()


def test_marks_in_another_gradebook_are_not_taken_for_these(graded, database, tmp_path):
    before, replays, _ = graded
    course = at(before, database("one"), tmp_path / "course")
    with replays.replaying():
        run(course)
        results = run(Course(course.root, database("other")), resume=True)
    assert {r.redone for r in results.values()} == {"the gradebook does not have it"}


@pytest.mark.parametrize(
    "place", ["renamed:3", *(pytest.param(p, marks=pytest.mark.slow) for p in ("rendered:2", "committed:2"))]
)
def test_killed_at(graded, database, tmp_path, place):
    before, replays, _ = graded
    course = at(before, database(place), tmp_path / "course")
    with replays.replaying():
        run(course)
        undisturbed = state(course)
        assert killed(course, place)
        results = run(course, resume=not place.startswith("rendered"))
    assert state(course) == undisturbed
    assert sum(r.redone == CUT_OFF for r in results.values()) == (place != "rendered:2")


def test_two_course_folders_grade_different_students_into_one_gradebook_at_once(graded, database, tmp_path):
    before, replays, after = graded
    url = database("shared")
    courses = [at(before, url, tmp_path / "a"), at(before, url, tmp_path / "b")]
    halves = [CLASS[::2], CLASS[1::2]]
    with replays.replaying():
        for students in (halves, [CLASS, CLASS]):  # and then all of them twice at once
            _at_once([lambda c=c, s=s: run(c, students=s) for c, s in zip(courses, students, strict=True)])
    mark_by_hand(courses[0], "cy")
    with replays.replaying():
        run(courses[0])
    assert state(courses[0])["marks"] == after["marks"]


def test_two_who_come_first_make_the_tables_once(graded, database, tmp_path):
    before, _, _ = graded
    shutil.copytree(before, tmp_path / "course")
    for n in range(2):
        url = database(f"first {n}", "template1")
        _at_once([lambda url=url: Course(tmp_path / "course", url)] * 3)
        engine = create_engine(url)
        with engine.connect() as connection:
            assert len(connection.execute(text("SELECT * FROM alembic_version")).all()) == 1
            assert connection.execute(text("SELECT count(*) FROM course")).scalar() == 2
        engine.dispose()


def test_a_gradebook_that_is_not_there_is_said_without_the_password(graded):
    before, _, _ = graded
    url = "postgresql+psycopg://grader:a-password@/marks?host=/nowhere"
    with pytest.raises(CourseError, match="cannot be used") as told:
        Course(before, url)
    assert "a-password" not in str(told.value)
    with pytest.raises(CourseError, match="URL is none"):
        Course(before, "postgres")
    with pytest.raises(CourseError, match="URL is none"):
        Course(before, "oracel://x")


def _at_once(bodies):
    """Run them in forks, begun together."""
    codes = [None] * len(bodies)

    def one(place, body):
        codes[place] = forked(body)

    threads = [threading.Thread(target=one, args=item) for item in enumerate(bodies)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0] * len(bodies)
