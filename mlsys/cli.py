"""The command line: `mlsys …`. What a command needs is imported when it runs, so that `mlsys --help` is quick."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from mlsys.inference.command import serve

if TYPE_CHECKING:
    from mlsys.grading.course import Course

# jsonschema would build a grammar at its import, for a second, to check addresses that no notebook holds.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


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
CourseFolder = Annotated[Path, typer.Option("--course", help="The course's folder.", metavar="FOLDER")]
Students = Annotated[
    list[str] | None, typer.Option("--student", help="This student only; may be repeated.", metavar="NAME")
]
Database = Annotated[
    str | None,
    typer.Option("--db", help="The gradebook, as SQLAlchemy's URL; else the course's.", metavar="URL"),
]
HERE = Path(".")


def _sets() -> tuple[str, ...]:
    from mlsys.problems import SETS

    return tuple(SETS)


def _course(folder: Path, ps: str = "", db: str | None = None) -> Course:
    """The course, and whether there is such a problem set in it."""
    from mlsys.grading.course import Course
    from mlsys.grading.errors import CourseError
    from mlsys.problems import SETS

    if ps not in SETS:
        raise CourseError(f"no problem set {ps!r}. There are: {', '.join(SETS)}.")
    return Course(folder, db)


@app.command()
def check(
    notebook: Annotated[Path, typer.Argument(help="Such as ps1-adaptive-rates.ipynb.")],
    timeout_s: Annotated[
        float, typer.Option("--timeout", help="Seconds that one cell may run; 60 when it is graded.")
    ] = 60,
) -> None:
    """Run a copy of your notebook, and show what each exercise earns."""
    from rich.console import Console

    from mlsys.grading.selfcheck import check_notebook
    from mlsys.grading.show import show_report

    report = check_notebook(notebook, timeout_s)
    show_report(Console(), report)
    raise typer.Exit(0 if report.ran else 1)


@app.command()
def release(
    ps: Annotated[str | None, typer.Argument(metavar="PS", help="Such as ps1-adaptive-rates.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Every problem set.")] = False,
    db: Database = None,
    course: CourseFolder = HERE,
) -> None:
    """Make the students' notebooks in exercises/ from solutions/."""
    from mlsys.grading.release import release as run
    from mlsys.problems import SETS

    if every == (ps is not None):
        raise typer.BadParameter("name one problem set, or say --all")
    for name in SETS if every else [ps or ""]:
        here = _course(course, name, db)
        typer.echo(f"Released {run(here, name).relative_to(here.root)}")


@app.command()
def demo(
    ps: ProblemSet,
    students: Annotated[
        int | None, typer.Option(help="How many; 12 by default, the corpus besides.", metavar="N")
    ] = None,
    hostile: Annotated[
        bool,
        typer.Option("--hostile", help="Attacks and honest oddities among them. Grade in a sandbox only!"),
    ] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take the demo class away.")] = False,
    db: Database = None,
    course: CourseFolder = HERE,
) -> None:
    """Hand in for a demo class, whose scores are known beforehand."""
    from mlsys.grading import demo as demos

    here = _course(course, ps, db)
    if remove:
        typer.echo(f"{demos.remove(here, ps)} demo students taken away.")
        return
    made = demos.make(here, ps, students, hostile)
    typer.echo(f"{len(made)} demo submissions in {here.folder('submitted').relative_to(here.root)}/")


@app.command()
def collect(
    ps: ProblemSet,
    source: Annotated[
        Path, typer.Argument(metavar="FOLDER|ZIP", help="As Canvas, Moodle or people deliver it.")
    ],
    roster: Annotated[
        Path | None,
        typer.Option(
            help="Who the students are: id, first_name, last_name, email, lms_user_id.", metavar="CSV"
        ),
    ] = None,
    replace: Annotated[
        bool | None,
        typer.Option(
            "--replace/--keep", help="Replace what is there in any case, or never; else by newer only."
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, and write nothing.")] = False,
    course: CourseFolder = HERE,
) -> None:
    """Bring a platform's download, or a folder of work, into submitted/."""
    from rich.console import Console

    from mlsys.grading.collect import collect as run
    from mlsys.grading.listing import show_collected

    collected = run(_course(course, ps), ps, source, roster, replace, dry_run)
    show_collected(Console(), f"{ps} (nothing written)" if dry_run else ps, collected)
    raise typer.Exit(1 if collected.not_placed or not collected.rows else 0)


@app.command()
def grade(
    ps: ProblemSet,
    student: Students = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Notebooks that run at once; one a core.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Leave alone what is done and unchanged.")] = False,
    report: Annotated[
        Path | None, typer.Option("--json", help="Write the results here too.", metavar="FILE")
    ] = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run students' code with all of your rights.")
    ] = False,
    scheduler: Annotated[
        str, typer.Option(help="A Dask scheduler, whose workers run the notebooks.", metavar="tcp://…")
    ] = "",
    db: Database = None,
    course: CourseFolder = HERE,
) -> None:
    """Grade the submissions in a sandbox, and print a table of scores."""
    workers = jobs or os.cpu_count() or 1
    if sys.platform == "linux" and not scheduler and ps in _sets():
        from mlsys.grading.engine import start

        start.early(ps, workers)  # it imports what notebooks need, while we import what grading needs
        atexit.register(start.forget)
    from rich.console import Console

    from mlsys.grading.grade import How
    from mlsys.grading.whole import grade_class

    how = How(workers, resume=resume, unsafe=unsafe, scheduler=scheduler)
    raise typer.Exit(grade_class(_course(course, ps, db), ps, student or (), how, report, Console()))


@app.command()
def mark(
    course: CourseFolder = HERE,
    browser: Annotated[bool, typer.Option(help="Open it in the browser at once.")] = True,
    port: Annotated[int, typer.Option(help="Where to serve it.")] = 8888,
) -> None:
    """Mark written answers by hand, in the browser: nbgrader's formgrader. Ctrl-C ends it."""
    from mlsys.grading.course import Course

    here = Course(course)
    raise typer.Exit(here.formgrader(browser, port))


@app.command()
def feedback(
    ps: ProblemSet, student: Students = None, db: Database = None, course: CourseFolder = HERE
) -> None:
    """Write a page of feedback for every graded student."""
    from mlsys.grading.release import feedback_for_all
    from mlsys.grading.scores import GRADED, Result, marks

    here = _course(course, ps, db)
    written, without = feedback_for_all(here, ps, student or ())
    typer.echo(f"Feedback for {len(written)} students in {here.folder('feedback').relative_to(here.root)}/")
    unmarked = [name for name in written if Result(name, GRADED, marks(here, ps, name)).awaiting]
    if unmarked:
        typer.secho(
            f"{len(unmarked)} of them have answers that wait for a mark by hand; their pages show 0, or the old one: "
            f"{', '.join(unmarked[:5])}{' …' if len(unmarked) > 5 else ''}. First: mlsys mark",
            fg="yellow",
        )
    for name, reason in without.items():
        typer.secho(f"{name}: no feedback, {reason}", fg="yellow")


@app.command()
def export(
    ps: ProblemSet,
    platform: Annotated[str, typer.Option("--for", help="canvas, moodle or csv.", metavar="PLATFORM")],
    out: Annotated[Path | None, typer.Option(help="PS-PLATFORM.csv here by default.", metavar="FILE")] = None,
    into: Annotated[
        Path | None, typer.Option(help="The platform's own exported file, to fill in.", metavar="FILE")
    ] = None,
    column: Annotated[
        str, typer.Option(help="The set's column in it, if it is called otherwise.", metavar="NAME")
    ] = "",
    unfinished: Annotated[
        bool, typer.Option("--with-unfinished", help="Marks that are not final too.")
    ] = False,
    missing_as_zero: Annotated[
        bool, typer.Option("--missing-as-zero", help="0 for who handed nothing in.")
    ] = False,
    db: Database = None,
    course: CourseFolder = HERE,
) -> None:
    """Write the marks as a CSV for Canvas, Moodle or a spreadsheet."""
    from rich.console import Console

    from mlsys.grading.export import export as run
    from mlsys.grading.listing import show_exported

    here, path = _course(course, ps, db), out or Path(f"{ps}-{platform}.csv")
    exported = run(here, ps, platform, path, into, column, unfinished, missing_as_zero)
    show_exported(Console(), exported)
    raise typer.Exit(1 if exported.absent else 0)


@app.command()
def claims(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Claims or chapters; all.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--json", help="Write them here too.", metavar="FILE")
    ] = None,
    data: Annotated[str, typer.Option(help="Measure on a real set: cifar10 or mnist.", metavar="NAME")] = "",
    recompute: Annotated[bool, typer.Option("--recompute", help="Compute their records anew.")] = False,
) -> None:
    """Print what the book claims, and what was measured."""
    from mlsys.experiments.command import claims as run

    raise typer.Exit(run(names or (), report, data, recompute))


app.command()(serve)


@app.command()
def where(ps: ProblemSet, course: CourseFolder = HERE) -> None:
    """Print the three paths to open: the book, the exercises, the feedback."""
    here = _course(course, ps)
    pages = sorted(here.folder("feedback").glob(f"*/{ps}/*.html"))
    book = here.root / "_build" / "html" / "index.html"
    typer.echo(f"the book       {book if book.exists() else 'not built yet: make book'}")
    typer.echo(f"the exercises  {here.folder('release', '.', ps) / f'{ps}.ipynb'}")
    typer.echo(f"the feedback   {pages[0] if pages else here.folder('feedback')}")


if __name__ == "__main__":
    app()
