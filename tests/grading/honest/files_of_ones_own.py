"""Reads a table and a module from files handed in beside the notebook, and writes another."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    (mine.folder / "data").mkdir()
    (mine.folder / "data" / "mine.csv").write_text("step,loss\n1,0.5\n2,0.25\n")
    (mine.folder / "helpers.py").write_text("def same(x):\n    return x\n")
    mine.before("""
        import csv

        from helpers import same

        with open("data/mine.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        assert same(rows)[1]["loss"] == "0.25"
        with open("data/out.txt", "w") as file:
            file.write("done")
        np.save("weights.npy", np.zeros(3))
    """)
