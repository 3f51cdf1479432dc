"""Tells the coordinator that the next cells are done, with results, before they have run."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.before("""
        shown = {"data": {"text/plain": "$points"}, "metadata": {}, "execution_count": 1}
        for channel in channels():
            for cell in range(100):
                tell(channel, {"t": "io", "cell": cell, "type": "execute_result", "content": shown})
                tell(channel, {"t": "done", "cell": cell, "reply": {"status": "ok"}, "count": 1})
                tell(channel, {"t": "points", "name": "$name", "points": $points})
    """)
    mine.before("""
        kernel = get_ipython().kernel
        content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
        parent = kernel.get_parent("shell")
        kernel.session.send(kernel.iopub_socket, "execute_reply", content, parent=parent)
        kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
    """)
