"""Files beside the notebook that Jupyter, nbgrader, IPython and pytest look for in the folder where they run."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    settings = (
        "c = get_config()\n"
        "c.Execute.enabled = False\n"
        "c.InteractiveShellApp.exec_lines = ['check = lambda *given: 2.0']\n"
        "c.IPKernelApp.exec_lines = ['check = lambda *given: 2.0']\n"
        "open('left_behind', 'w').close()\n"
    )
    stems = ("nbgrader", "jupyter", "jupyter_nbconvert", "ipython", "ipython_kernel", "ipython_config")
    for stem in stems:
        (mine.folder / f"{stem}_config.py").write_text(settings)
    (mine.folder / "conftest.py").write_text("raise SystemExit(0)\n")
    startup = mine.folder / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("check = lambda *given: 2.0\n")
