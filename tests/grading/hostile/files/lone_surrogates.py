"""Half a character, which JSON can hold and no file can."""

import json

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("print('HALF')")
    text = json.dumps(json.loads(mine.bytes()), ensure_ascii=True)
    mine.data = text.replace("HALF", "\\ud800").encode()
