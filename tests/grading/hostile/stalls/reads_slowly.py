"""Takes a little of what it is sent, now and then: no send ever fails, and none ends."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, TOO_LONG, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, attacked=(), others=EARLIER, flag="does not read|" + TOO_LONG)


def hand_in(mine: Submission) -> None:
    mine.before("""
        import asyncio
        import gc
        import os
        import select
        import socket
        import threading
        import time

        found = [s for s in gc.get_objects() if isinstance(s, socket.socket) and s.fileno() >= 0]
        copies = [os.dup(s.fileno()) for s in found]

        def drain():
            while True:
                time.sleep(2)
                for fd in copies:
                    if select.select([fd], [], [], 0)[0]:
                        os.read(fd, 1 << 15)

        def hold():
            while True:
                time.sleep(1)

        threading.Thread(target=drain, daemon=True).start()
        asyncio.get_running_loop().call_later(0.3, hold)
    """)
    mine.before("# " + "x" * 3_000_000)
