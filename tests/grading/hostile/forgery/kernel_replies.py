"""Tells the front end that the next cells are done, with results, before they have run."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        kernel = get_ipython().kernel
        sender = getattr(kernel.session, "sender", None)
        shown = {"data": {"text/plain": "$points"}, "metadata": {}, "execution_count": 1}
        for cell in range(100):
            if sender is not None:
                sender.frames.put({"t": "io", "cell": cell, "type": "execute_result", "content": shown})
                sender.frames.put({"t": "done", "cell": cell, "reply": {"status": "ok"}, "count": 1})
                sender.frames.put({"t": "points", "name": "$name", "points": $points})
        content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
        parent = kernel.get_parent("shell")
        kernel.session.send(kernel.iopub_socket, "execute_reply", content, parent=parent)
        kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"}, parent=parent)
    """)
