"""Leaves code that Python and IPython run when they start for the next student."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import os
        import site
        import sysconfig

        home = os.path.expanduser("~")
        places = [f"{home}/.ipython/profile_default/startup/left_behind.py", f"{home}/.pythonrc_left_behind.py"]
        for folder in (sysconfig.get_path("purelib"), site.getusersitepackages()):
            places.append(f"{folder}/left_behind.pth")
        places += [f"{home}/.jupyter/left_behind.py", f"{home}/.config/matplotlib/left_behind"]
        for place in places:
            try:
                os.makedirs(os.path.dirname(place), exist_ok=True)
                open(place, "w").write("# nothing\\n")
            except OSError as error:
                print(place, error)
    """)
