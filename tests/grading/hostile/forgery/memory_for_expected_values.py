"""Reads its own process's memory, page by page, for the source of the grader's half."""

from mlsys.grading.demo.corpus import EARLIER, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.before(r"""
        import re

        word = re.escape(b"GRADER = Grader(")
        found = 0
        with open("/proc/self/mem", "rb", 0) as memory:
            for line in open("/proc/self/maps"):
                start, end, rights = re.match(r"(\w+)-(\w+) (\S+)", line).groups()
                size = int(end, 16) - int(start, 16)
                if "r" in rights and size < 2**26 and "[v" not in line:
                    try:
                        memory.seek(int(start, 16))
                        found += len(re.findall(word + rb"\s+reference=", memory.read(size)))
                    except (OSError, ValueError):
                        pass
        if found:
            print("REA" "CHED", found)
    """)
