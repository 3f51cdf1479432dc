"""Files in the notebook's folder, /tmp and /var/tmp, up to three times what is allowed."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        def $target(*given, **named):
            for folder in (".", "/tmp", "/var/tmp"):
                try:
                    with open(f"{folder}/filled", "wb") as file:
                        for _ in range(3 * $disk // 2**20):
                            file.write(bytes(2**20))
                except OSError as error:
                    print(error)
    """)
