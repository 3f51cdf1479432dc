"""Displays and texts that take hours to be made harmless, or to be rendered."""

from nbformat.v4 import new_markdown_cell

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=(), flag="too long to be rendered")


def hand_in(mine: Submission) -> None:
    mine.before("""
        from IPython.display import HTML, Markdown, display

        display(HTML("<style " * 24_000))
        display(HTML("<script>" * 400_000))
        display(Markdown("&#38;" + r"\\begin{a}" * 9_000))
    """)
    for text in ("&#38;" + r"\begin{a}" * 9_000, "&#38;" + r"\\[" * 100_000):
        mine.notebook.cells.append(new_markdown_cell(text))
