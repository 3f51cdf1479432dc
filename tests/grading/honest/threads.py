"""Threads that finish, with and without a pool."""

from mlsys.grading.demo.corpus import HARMLESS
from mlsys.grading.demo.submission import Submission

EXPECT = HARMLESS


def hand_in(mine: Submission) -> None:
    mine.before("""
        import threading
        from concurrent.futures import ThreadPoolExecutor

        done = []
        threads = [threading.Thread(target=done.append, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with ThreadPoolExecutor(4) as pool:
            print(sorted(done), list(pool.map(abs, [-1, -2])))
    """)
