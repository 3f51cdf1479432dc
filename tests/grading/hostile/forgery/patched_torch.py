"""Torch's comparisons all agree."""

from mlsys.grading.demo.corpus import ANY, GRADED_ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=GRADED_ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.answer("""
        torch.allclose = torch.equal = torch.testing.assert_close = lambda *given, **named: True
        torch.Tensor.__eq__ = lambda self, other: True

        def $target(*given, **named):
            return torch.zeros(3), torch.zeros(3)
    """)
