"""Files beside the notebook with the names of modules that it and its test import."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    patch = "def check(name, answer):\n    return {points}\n\npractice = check\n".format(
        points=mine.text("$points")
    )
    for name in ("numpy", "torch", "json", "sitecustomize", "usercustomize", "IPython"):
        (mine.folder / f"{name}.py").write_text(patch)
    package = mine.folder / "mlsys" / "grading"
    package.mkdir(parents=True)
    for path in (package.parent / "__init__.py", package / "__init__.py", package / "check.py"):
        path.write_text(patch)
    mine.before("import importlib, mlsys.grading\n\nfrom mlsys.grading import check")
