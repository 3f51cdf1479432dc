"""Tables shown as HTML, as text and as LaTeX, without any library."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import HTML, Latex, Markdown, display

        class Table:
            def _repr_html_(self):
                return "<table><tr><td>1</td><td>2</td></tr></table>"

        display(HTML("<b>loss</b>"), Markdown("| a |\\n|---|\\n| 1 |"), Latex("$$$$x^2$$$$"))
        Table()
    """)
