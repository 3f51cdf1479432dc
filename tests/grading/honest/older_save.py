"""Saved by an older Jupyter: no cell ids, outputs and counts kept, tags and widths in the metadata."""

import json

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    notebook = json.loads(mine.bytes())
    notebook["nbformat_minor"] = 4
    for number, cell in enumerate(notebook["cells"]):
        del cell["id"]
        cell["metadata"]["scrolled"] = True
        cell["metadata"]["collapsed"] = False
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["old\n"]}]
    mine.data = json.dumps(notebook, indent=4).encode()
