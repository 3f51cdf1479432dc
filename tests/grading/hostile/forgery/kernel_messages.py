"""Results sent past IPython, through the kernel's own session: in the test's name, before it runs and after."""

from mlsys.grading.demo.corpus import ANY, ANYHOW, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=ANY)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import threading
        import time

        kernel = get_ipython().kernel

        def send():
            for _ in range(50):
                content = {"data": {"text/plain": "$points"}, "metadata": {}, "execution_count": 1}
                parent = kernel.get_parent("shell") if hasattr(kernel, "get_parent") else kernel._parent_header
                kernel.session.send(kernel.iopub_socket, "execute_result", content, parent=parent)
                time.sleep(0.01)

        threading.Thread(target=send).start()
    """)
