"""Releasing: the same bytes each time, nothing lost where it fails, the demo class taken away in full."""

import nbformat
import pytest
from a_course import NOTEBOOK, PS, digest, new_course

from mlsys.grading import demo, secret
from mlsys.grading.cells import grade_id
from mlsys.grading.course import Course
from mlsys.grading.errors import CourseError
from mlsys.grading.release import release


def source(course):
    return course.folder("source", ".", PS) / NOTEBOOK


def add_a_test_cell(course):
    notebook = nbformat.read(source(course), as_version=4)
    rules = {"grade": True, "locked": True, "solution": False, "task": False, "schema_version": 3}
    cell = nbformat.v4.new_code_cell(
        "1 + 1", metadata={"nbgrader": rules | {"grade_id": "new", "points": 1.0}}
    )
    notebook.cells.append(cell)
    nbformat.write(notebook, source(course))


def submission_of(course, student):
    with course.gradebook() as gradebook:
        gradebook.update_or_create_student(student)
        gradebook.update_or_create_submission(PS, student)


def test_the_same_bytes_again(course):
    before = digest(course.root / "exercises")
    release(course, PS)
    assert digest(course.root / "exercises") == before


def test_no_solution_is_released(course):
    text = (course.folder("release", ".", PS) / NOTEBOOK).read_text()
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    assert "NotImplementedError" in text


def test_a_release_that_fails_keeps_the_old_one(course):
    before = digest(course.root / "exercises")
    source(course).write_text(source(course).read_text().replace("### END SOLUTION", "### THE END"))
    with pytest.raises(CourseError, match="could not be released"):
        release(course, PS)
    assert digest(course.root / "exercises") == before


def test_points_that_the_exercise_does_not_give_are_refused(course):
    notebook = nbformat.read(source(course), as_version=4)
    cell = next(c for c in notebook.cells if grade_id(c) == "polyak-step-check")
    cell.metadata["nbgrader"]["points"] += 1
    nbformat.write(notebook, source(course))
    with pytest.raises(CourseError, match=r"cell polyak-step-check of .* carries 3"):
        release(course, PS)


def test_new_cells_are_refused_once_students_are_graded(course):
    submission_of(course, "ada")
    add_a_test_cell(course)
    before = digest(course.root / "exercises")
    with pytest.raises(CourseError, match=r"cells of ps1-adaptive-rates came or went \(new\).*\(ada\)"):
        release(course, PS)
    assert digest(course.root / "exercises") == before


def test_new_cells_push_a_demo_class_out_of_the_way(course):
    submission_of(course, "demo-ada")
    add_a_test_cell(course)
    release(course, PS)
    assert '"new"' in (course.folder("release", ".", PS) / NOTEBOOK).read_text()


def test_the_demo_class_leaves_nothing_behind(course):
    submission_of(course, "ada")
    demo.make(course, PS)
    mine = course.folder("submitted", "ada", PS)
    mine.mkdir(parents=True)
    assert len(course.students(PS)) == 13
    submission_of(course, "demo-ada")
    assert demo.remove(course, PS) == 12
    assert [p.name for p in (course.root / "submitted").iterdir()] == ["ada"]
    assert not list((course.root / ".mlsys").glob("demo*"))
    with course.gradebook() as gradebook:
        assert [s.id for s in gradebook.students] == ["ada"]
        assert len(gradebook.find_assignment(PS).submissions) == 1
    assert demo.remove(course, PS) == 0


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(CourseError, match="holds no nbgrader_config"):
        Course(tmp_path)
    course = Course(new_course(tmp_path / "course"))
    with pytest.raises(CourseError, match=r"is not released\. Run: mlsys release"):
        course.notebooks(PS)
    with pytest.raises(CourseError, match="no problem set 'ps9'"):
        release(course, "ps9")


def test_the_secret_is_made_once_for_its_owner_alone(tmp_path):
    path = secret.ensure(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    text = path.read_text()
    assert len(text.strip()) == 64
    assert secret.ensure(tmp_path).read_text() == text
    assert (
        secret.ensure(tmp_path / "another").read_text() != text
        if (tmp_path / "another").mkdir() is None
        else 0
    )


def test_cases_follow_from_the_secret_and_the_name(tmp_path, monkeypatch):
    def draw(name):
        return secret.case_generator(name).normal(size=3).tolist()

    monkeypatch.delenv(secret.VARIABLE, raising=False)
    public = draw("a")
    monkeypatch.setenv(secret.VARIABLE, str(secret.ensure(tmp_path)))
    assert draw("a") == draw("a")
    assert len({tuple(public), tuple(draw("a")), tuple(draw("b"))}) == 3
