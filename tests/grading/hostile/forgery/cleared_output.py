"""The test's outputs are cleared, and full points shown in their place."""

from mlsys.grading.demo.corpus import ANY, GRADED_ANYHOW, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import clear_output

        def clear(result):
            clear_output(wait=False)
            get_ipython().displayhook($points)

        get_ipython().events.register("post_run_cell", clear)
    """)
    mine.before("get_ipython().events.unregister('post_run_cell', clear)", NEXT)
