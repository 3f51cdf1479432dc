"""Hooks that IPython calls around every cell: the text of the test is replaced before it runs."""

from mlsys.grading.demo.corpus import NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE")


def hand_in(mine: Submission) -> None:
    mine.before("""
        shell = get_ipython()

        def replace(lines):
            return ["$points"] if any("$name" in line for line in lines) else lines

        shell.input_transformers_post.append(replace)
        shell.events.register("pre_run_cell", lambda info: None)
        shell.events.register("post_run_cell", lambda result: print($points))
    """)
    mine.before("shell.input_transformers_post.clear()", NEXT)
