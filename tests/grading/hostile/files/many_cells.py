"""Fifty thousand more cells, at the end."""

import json

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    notebook = json.loads(mine.bytes())
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": "None"}
    notebook["cells"] += [{**empty, "id": f"more-{number}"} for number in range(50_000)]
    mine.data = json.dumps(notebook).encode()
