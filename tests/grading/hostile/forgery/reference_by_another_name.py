"""The taught package under another name: loaded from its files, found by parts of its name, by its loader."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        import importlib
        import pathlib
        import sys

        import mlsys

        def look():
            package = pathlib.Path(mlsys.__file__).parent
            for name in ("problems.ps1.grader.$name".replace(".running", "_running"), "optim.rules.adagrad"):
                try:
                    return importlib.import_module("ml" + "sys." + name)
                except ImportError as error:
                    print(error)
            for path in [*package.rglob("*grader*/*.py*"), *package.glob("opt*/**/*.py")]:
                try:
                    scope = {"__name__": "mine"}
                    exec(compile(path.read_text(), "mine", "exec"), scope)
                    if "$target" in scope:
                        return scope
                except Exception as error:
                    print(path, error)
            return None

        found = look()

        def $target(*given, **named):
            if isinstance(found, dict):
                return found["$target"](*given, **named)
            return found.GRADER.reference.build("$target")(*given, **named)
    """)
