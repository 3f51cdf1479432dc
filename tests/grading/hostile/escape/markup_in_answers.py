"""Scripts in a written answer, in a cell's name, and in the name of a file."""

from mlsys.grading.demo.corpus import GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, attacked=())


def hand_in(mine: Submission) -> None:
    script = "<script>window.canary = 1</script><img src=x onerror='window.canary = 2'>"
    for cell in mine.notebook.cells:
        if cell.cell_type == "markdown" and cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = (
                f"# {script}\n\n[here](javascript:window.canary=3)\n\n<style>body {{display: none}}</style>"
            )
    mine.notebook.metadata["title"] = script
    mine.notebook.metadata["authors"] = [{"name": script}]
    (mine.folder / "<script>window.canary = 4<script>.txt").write_text(script)
