"""Sends an open descriptor through the checker's socket, and asks for one."""

from mlsys.grading.demo.corpus import ANYHOW, EARLIER, Expect
from mlsys.grading.demo.submission import Submission

EXPECT = Expect(status=ANYHOW, others=EARLIER)


def hand_in(mine: Submission) -> None:
    mine.channels()
    mine.answer("""
        import os

        def $target(*given, **named):
            handle = os.open("/", os.O_RDONLY)
            for channel in channels():
                socket.send_fds(channel, [b"\\x00\\x00\\x00\\x02{}"] , [handle] * 100)
                channel.setblocking(False)
                try:
                    print(socket.recv_fds(channel, 1000, 10))
                except OSError as error:
                    print(error)
    """)
