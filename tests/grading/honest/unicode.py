"""Names, texts and outputs in many scripts."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        η, δ, Σ, größe, 変数 = 0.1, 1e-8, sum, "Größe", [1, 2]
        print(f"η = {η}, {größe}, {変数}, مرحبا, 🎓, e\u0301, \u200b|")
        "∇f"
    """)
    for cell in mine.notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "Größer als $\\epsilon$: «да», 很好, 🎓.\n\n| a | b |\n|---|---|\n| 1 | 2 |"
