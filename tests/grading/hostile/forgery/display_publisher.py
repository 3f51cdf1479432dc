"""The publisher of outputs swallows what is shown, and publishes full points as the cell's result."""

from mlsys.grading.demo.corpus import ANY, NEXT, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(flag="HERE", others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        shell = get_ipython()
        hook, publisher = shell.displayhook, shell.display_pub
        publish = publisher.publish
        publisher.publish = lambda data, *given, **named: publish({"text/plain": "$points"}, {})


        def write(data, *given):
            hook.msg["content"].update(data={"text/plain": "$points"}, metadata={})

        hook.write_format_data = write
    """)
    mine.before("del hook.write_format_data, publisher.publish", NEXT)
