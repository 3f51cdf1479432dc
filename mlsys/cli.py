"""The command line: `mlsys …`. What a command needs is imported when it runs, so that `mlsys --help` is quick."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class Commands(TyperGroup):
    """Tells a person in a line what can be mended, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        from mlsys.grading.errors import CourseError

        try:
            return super().invoke(ctx)
        except CourseError as error:
            typer.secho(str(error), fg="red", err=True)
            raise typer.Exit(2) from None


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    help="The course Machine Learning Systems Design.",
)

ProblemSet = Annotated[str, typer.Argument(metavar="PS", help="Such as ps1-adaptive-rates.")]
CourseFolder = Annotated[Path, typer.Option("--course", help="The course's folder.")]
HERE = Path(".")


@app.command()
def check(notebook: Annotated[Path, typer.Argument(help="Such as ps1-adaptive-rates.ipynb.")]) -> None:
    """Run a copy of your notebook and show what each exercise earns."""
    from mlsys.grading.selfcheck import check_notebook

    report = check_notebook(notebook)
    for line in report.lines:
        typer.echo(f"{line.name:30} {line.points} / {line.full}")
    for text in report.problems:
        typer.echo(text)
    raise typer.Exit(0 if report.ran else 1)


@app.command()
def release(ps: ProblemSet, course: CourseFolder = HERE) -> None:
    """Make the students' notebooks in exercises/ from solutions/."""
    from mlsys.grading.course import Course
    from mlsys.grading.release import release as run

    typer.echo(f"Released to {run(Course(course), ps)}")


@app.command()
def demo(ps: ProblemSet, course: CourseFolder = HERE) -> None:
    """Make a demo class of 12 submissions, whose scores are known beforehand."""
    from mlsys.grading.course import Course
    from mlsys.grading.demo import make

    typer.echo(f"{len(make(Course(course), ps))} submissions made.")


@app.command()
def grade(
    ps: ProblemSet,
    student: Annotated[
        list[str] | None, typer.Option(help="Grade this student only; may be repeated.")
    ] = None,
    course: CourseFolder = HERE,
) -> None:
    """Grade the submissions, and print a table of scores."""
    from mlsys.grading.course import Course
    from mlsys.grading.grade import grade as run

    for result in run(Course(course), ps, student or ()):
        typer.echo(
            f"{result.student:20} {result.total:6.2f} / {result.max_total:g}  {result.status} {result.reason}"
        )


@app.command()
def feedback(ps: ProblemSet, course: CourseFolder = HERE) -> None:
    """Write feedback for every graded student."""
    from mlsys.grading.course import Course
    from mlsys.grading.release import feedback as run

    here: Any = Course(course)
    for student in here.students(ps):
        if here.folder("autograded", student, ps).is_dir():
            typer.echo(run(here, ps, student))


if __name__ == "__main__":
    app()
