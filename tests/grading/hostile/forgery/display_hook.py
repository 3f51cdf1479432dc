"""The hook that shows a cell's result shows full points."""

from mlsys.grading.demo.corpus import ANY, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        hook = type(get_ipython().displayhook)
        shown = hook.compute_format_data

        def full(self, result):
            return ({"text/plain": "$points"}, {}) if isinstance(result, float) else shown(self, result)

        hook.compute_format_data = full
    """)
    mine.before("hook.compute_format_data = shown", NEXT)
