"""A shell of one's own in the kernel's place, which replaces the text of the test."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import types

        kernel = get_ipython().kernel
        real = kernel.do_execute

        async def done(self, code, *given, **named):
            if "$name" in code:
                code = "$points"
            return await real(code, *given, **named)

        kernel.do_execute = types.MethodType(done, kernel)
    """)
