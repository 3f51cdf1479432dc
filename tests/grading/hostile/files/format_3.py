"""The notebook in the format of 2013, which has no place for nbgrader's settings of today."""

import copy
import warnings

import nbformat

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        old = nbformat.convert(copy.deepcopy(mine.notebook), 3)
        mine.data = nbformat.v3.writes_json(old).encode()
