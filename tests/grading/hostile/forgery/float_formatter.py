"""The formatter of floats writes full points for any."""

from mlsys.grading.demo.corpus import NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE")


def hand_in(mine: Submission) -> None:
    mine.before("""
        plain = get_ipython().display_formatter.formatters["text/plain"]
        plain.for_type(float, lambda value, printer, cycle: printer.text("$points"))
    """)
    mine.before("plain.type_printers.pop(float)", NEXT)
