"""Makes namespaces of its own, in which it is root, and mounts what it likes there."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW)


def hand_in(mine: Submission) -> None:
    mine.attempts("""
        import subprocess

        done = subprocess.run(
            ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /mnt && echo in"],
            capture_output=True,
            text=True,
        )
        print(done.returncode, done.stderr)
        if "in" in done.stdout:
            reached("a namespace")
    """)
