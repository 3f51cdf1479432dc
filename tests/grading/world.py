"""What lies around a class that is attacked: things that nobody in it may read, change or reach, and who did."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import site
import socket
import subprocess
import sys
import sysconfig
import tempfile
import threading
from contextlib import ExitStack, suppress
from html.parser import HTMLParser
from pathlib import Path

from a_course import PS

from mlsys.grading.demo.submission import Outside

VARIABLE = "MLSYS_CANARY"
LEFT = "left_behind"  # in the name of every file that an attack writes where it should not
ORPHAN = "orphan-of-the-corpus"  # on the command line of the process that one leaves
OTHER = "demo-ada"
KEPT = ("submitted", "solutions", "exercises")
MOST_BYTES = 20 << 20  # of what is kept of a submission


class World:
    """A secret text in every place that attacks look into, and services that tell it to whoever asks.

    contacts : who asked, in words
    """

    def __init__(self, course, folder):
        self.course = course
        self.secret = f"canary-{secrets.token_hex(8)}"
        self.contacts, self._open = [], ExitStack()
        self.file = folder / "outside.txt"
        self.file.write_text(self.secret)
        (course.root / "solutions" / "notes.txt").write_text(self.secret)
        with course.gradebook() as gradebook:
            gradebook.update_or_create_student("canary", last_name=self.secret)
        path = os.path.join(
            self._open.enter_context(tempfile.TemporaryDirectory()), "s"
        )  # sockets have short paths
        port = self._listen(socket.AF_INET, ("127.0.0.1", 0))[1]
        for address in (path, f"\0{path}"):
            self._listen(socket.AF_UNIX, address)
        self._datagrams(port)
        self.bystander = self._open.enter_context(
            subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(3600)", self.secret],
                env=os.environ | {VARIABLE: self.secret},
            )
        )
        self.outside = Outside(course.root, OTHER, self.file, port, path, self.bystander.pid)

    def begin(self):
        """Once everything is handed in: what must not change."""
        folder = self.course.folder("submitted", OTHER, PS)
        (folder / "notes.txt").write_text(self.secret)
        self._before = self._digests()
        self._strays = {str(path) for path in self._left()}

    def close(self):
        """End the services."""
        self.bystander.send_signal(signal.SIGCONT)
        self.bystander.kill()
        self._open.close()

    def seen(self, student):
        """What a submission got to see or kept too much of, as far as its graded notebook and feedback show."""
        forbidden = {self.secret: "the canary", "REACHED": "what is outside"}
        forbidden[(self.course.root / ".mlsys" / "secret").read_text().strip()] = "the course's secret"
        found, size = [], 0
        for kind in ("autograded", "feedback"):
            for path in self.course.folder(kind, student, PS).rglob("*"):
                if path.is_file():
                    text = path.read_text(errors="replace")
                    size += len(text)
                    found += [f"it saw {what}" for word, what in forbidden.items() if word in text]
        if size > MOST_BYTES:
            found.append(f"{size:,} bytes of it are kept")
        return sorted(set(found))

    def active(self, student):
        """What the pages of feedback would do in the browser of whoever opens them."""
        pages = self.course.folder("feedback", student, PS).glob("*.html")
        return [text for page in pages for text in Active(page.read_text()).found]

    def harm(self):
        """What was reached or changed, by anybody."""
        found = [f"reached: {contact}" for contact in self.contacts]
        after = self._digests()
        changed = {name for name in self._before | after if self._before.get(name) != after.get(name)}
        found += [f"changed: {name}" for name in sorted(changed)]
        found += [f"written: {path}" for path in self._left() if str(path) not in self._strays]
        if self.bystander.poll() is not None or _stopped(self.bystander.pid):
            found.append("the bystander was killed or stopped")
        return found + [f"left running: {pid}" for pid in orphans()]

    def _digests(self):
        files = [self.course.root / "nbgrader_config.py", self.file]
        for name in KEPT:
            files += [Path(at, f) for at, _, names in os.walk(self.course.root / name) for f in names]
        return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in files if p.is_file()}

    def _left(self):
        """The files that attacks say they leave, in the places where they would."""
        home, installed = Path.home(), Path(sysconfig.get_path("purelib"))
        flat = (
            Path("/tmp"),
            Path("/var/tmp"),
            Path("/dev/shm"),
            Path("/run"),
            Path("/dev/mqueue"),
            home,
            installed,
        )
        deep = (self.course.root, home / ".ipython", home / ".jupyter", home / ".config" / "matplotlib")
        for folder in (*flat, Path(site.getusersitepackages())):
            yield from (p for p in folder.glob(f"*{LEFT}*"))
        for folder in deep:
            yield from (Path(at, f) for at, _, names in os.walk(folder) for f in names if LEFT in f)

    def _listen(self, family, address):
        server = self._open.enter_context(socket.socket(family))
        server.bind(address)
        server.listen()

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                self.contacts.append(f"a connection to {address!r}")
                with connection:
                    connection.sendall(self.secret.encode())

        self._serve(server, serve)
        return server.getsockname()

    def _datagrams(self, port):
        server = self._open.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        server.bind(("127.0.0.1", port))

        def serve():
            while True:
                try:
                    _, sender = server.recvfrom(1000)
                    if sender is None:  # shut down
                        return
                    self.contacts.append("a datagram")
                    server.sendto(self.secret.encode(), sender)
                except OSError:
                    return

        self._serve(server, serve)

    def _serve(self, server, serve):
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self._open.callback(thread.join, 5)
        self._open.callback(_wake, server)


class Active(HTMLParser):
    """What of a page would act on its own behalf in the browser of whoever reads it. found : in words"""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.found, self._script = [], False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self._script = tag == "script"
        for name, value in attributes:
            if "canary" in (value or "") and (
                name.startswith("on") or "javascript:" in value or name == "srcdoc"
            ):
                self.found.append(f"<{tag} {name}={value!r}>")

    def handle_endtag(self, tag):
        self._script = False

    def handle_data(self, data):
        if self._script and "canary" in data:
            self.found.append(f"<script>{data.strip()[:100]}")


def _wake(server):
    """Closing a socket does not end a wait for it; shutting it down does."""
    with suppress(OSError):
        server.shutdown(socket.SHUT_RDWR)


def _stopped(pid):
    """Whether a process waits for a signal to go on."""
    state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    return state in "Tt"


def orphans():
    """The processes that an attack left, by number."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if ORPHAN.encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found
