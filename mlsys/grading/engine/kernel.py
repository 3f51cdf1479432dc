"""The kernel of a sandboxed notebook: IPython's own, with pipes to the coordinator in place of its sockets.

Shell, display hook and publisher, output streams and the capture of file descriptors are ipykernel's, so that cells
give what they give in any other kernel. Only the transport is ours: messages go as frames through one socket, in the
order in which they were sent, and orders to execute a cell come through another, one at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from ipykernel import ipkernel
from ipykernel.inprocess.socket import DummySocket
from ipykernel.iostream import IOPubThread, OutStream
from ipykernel.ipkernel import IPythonKernel
from jupyter_client.session import Session, json_default
from tornado.ioloop import IOLoop
from traitlets.config import Config

from mlsys.grading.engine import wire

TEXT_BYTES = 4 << 20  # of one message; a longer one is cut here, and counted by the coordinator
SHOWN = {"stream", "display_data", "execute_result", "error", "update_display_data", "clear_output"}
WIDGETS = {"comm_open", "comm_msg", "comm_close"}


class Sender(threading.Thread):
    """Writes frames from a queue, so that an interrupt of the main thread never cuts one in two."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(daemon=True, name="mlsys-sender")
        self.sock, self.frames = sock, queue.SimpleQueue[dict[str, Any]]()

    def run(self) -> None:
        while True:
            wire.send(self.sock, self.frames.get())


class WireSession(Session):
    """A session whose messages leave as frames, whatever socket they are meant for."""

    sender: Any = None
    cell: int = -1
    owner = 0

    def send(self, *args: Any, **kwargs: Any) -> Any:
        """send(stream, message or its type, content, parent, …), as the base class has it."""
        return self._send(*args[1:], **kwargs)

    def _send(self, msg_or_type: Any, content: Any = None, parent: Any = None, **more: Any) -> Any:
        msg = msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content, parent)
        kind = msg["header"]["msg_type"]
        if os.getpid() != self.owner:  # a forked child of the notebook: through the captured descriptors
            if kind == "stream":
                os.write(1 if msg["content"]["name"] == "stdout" else 2, msg["content"]["text"].encode())
        elif kind in SHOWN or kind in WIDGETS:
            self.sender.frames.put(
                {"t": "io", "cell": self.cell, "type": kind, "content": plain(msg["content"])}
            )
        return msg


def plain(content: dict[str, Any]) -> dict[str, Any]:
    """The content as JSON can hold it, its longest texts cut."""
    kept = json.loads(json.dumps(content, default=json_default, allow_nan=True))
    text = kept.get("text")
    if isinstance(text, str) and len(text) > TEXT_BYTES:
        kept["text"] = text[:TEXT_BYTES] + "\n[cut]\n"
    return kept


@contextlib.contextmanager
def _no_modules() -> Iterator[None]:
    """Meanwhile ipykernel sees no modules: for its debugger it would look at the file of each, and to look at what is
    shared with the warm parent is to copy it, page by page.
    """
    module: Any = ipkernel
    whole, module.sys = module.sys, SimpleNamespace(modules={})
    try:
        yield
    finally:
        module.sys = whole


def _silent() -> logging.Logger:
    """A kernel's log goes to its terminal, which nobody has here."""
    log = logging.getLogger("mlsys.kernel")
    log.propagate, log.handlers = False, [logging.NullHandler()]
    return log


class Kernel(IPythonKernel):
    """IPython's kernel without sockets."""

    def __init__(self, sender: Sender) -> None:
        session = WireSession(key=b"")
        session.sender, session.owner = sender, os.getpid()
        thread = IOPubThread(DummySocket(), session=session)
        thread.start()
        streams = {name: OutStream(session, thread, name) for name in ("stdout", "stderr")}
        sys.stdout, sys.stderr = streams["stdout"], streams["stderr"]
        config = Config({"HistoryManager": {"hist_file": ":memory:"}})
        with _no_modules():
            super().__init__(
                session=session,
                iopub_thread=thread,
                iopub_socket=thread.background_socket,
                config=config,
                log=_silent(),
                shell_channel_thread=SimpleNamespace(parent_thread=threading.current_thread()),
            )
        self.io_loop = IOLoop.current()  # by which ipykernel stops an await
        # Here exit() ends nothing: it would stop the loop in a tenth of a second, and chance say what has run by then.
        shell: Any = self.shell
        shell.unobserve_all("exit_now")

    async def execute(self, cell: int, code: str) -> dict[str, Any]:
        """Run a cell as a front end's request would; the reply."""
        session: Any = self.session
        session.cell = cell
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        parent = session.msg("execute_request", {**content, "user_expressions": {}, "stop_on_error": False})
        self.set_parent([b""], parent, channel="shell")
        reply: dict[str, Any] = {
            "status": "error",
            "ename": "KeyboardInterrupt",
            "evalue": "",
            "traceback": [],
        }
        self.pre_handler_hook()
        try:
            reply = await self.do_execute(code, False, True, {}, False)
        except (
            KeyboardInterrupt,
            asyncio.CancelledError,
        ):  # between two lines of ipykernel's own, or of an await
            pass
        finally:
            self.post_handler_hook()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return plain({key: reply[key] for key in ("status", "ename", "evalue", "traceback") if key in reply})


def serve(orders: int, output: int, checks: int) -> None:
    """Run cells until the coordinator has no more. The arguments are descriptors of connected sockets."""
    from mlsys.grading.engine import answering

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # between cells; ipykernel restores it while one runs
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    sys.path.insert(0, "")
    sender = Sender(socket.socket(fileno=output))
    sender.start()
    answering.connect(socket.socket(fileno=checks))
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_serve(socket.socket(fileno=orders), sender))


async def _serve(orders: socket.socket, sender: Sender) -> None:
    kernel = Kernel(sender)
    waking = asyncio.ensure_future(_awake())
    sender.frames.put({"t": "ready"})
    orders.setblocking(False)
    loop, frames = asyncio.get_running_loop(), wire.Frames()
    while data := await loop.sock_recv(orders, 1 << 16):
        for order in frames.feed(data):
            reply = await kernel.execute(order["cell"], order["code"])
            count = getattr(kernel.shell, "execution_count", 1) - 1
            sender.frames.put({"t": "done", "cell": order["cell"], "reply": reply, "count": count})
    waking.cancel()


async def _awake() -> None:
    """An interrupt of an await is acted upon when the loop next wakes; asleep in the system, it does not notice."""
    while True:
        await asyncio.sleep(0.2)
