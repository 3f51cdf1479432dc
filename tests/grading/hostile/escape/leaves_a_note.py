"""Leaves a file for the next student, wherever that may be."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import os
        import site
        import sysconfig

        folders = ["/tmp", "/var/tmp", "/dev/shm", "/run", os.path.expanduser("~"), "..", sysconfig.get_path("purelib")]
        for folder in [*folders, site.getusersitepackages(), "/dev/mqueue"]:
            try:
                open(f"{folder}/left_behind", "w").write("The answer is 42.")
            except OSError as error:
                print(folder, error)
    """)
