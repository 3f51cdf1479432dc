"""A notebook run by the engine shows what the same notebook shows when nbgrader executes it."""

import os
import re
import socket
from unittest import mock

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.preprocessors import Execute

from mlsys.grading.engine import parent
from mlsys.grading.engine.executor import Times

# What goes through a descriptor is read by a thread, here as there: it is given the time.
CELLS = {
    "result": "1 + 1",
    "nothing": "x = 3;",
    "streams": "import sys\nprint('out')\nprint('err', file=sys.stderr)\nprint('out again')",
    "descriptors": "import os, time\nos.write(1, b'raw out\\n')\nos.write(2, b'raw err\\n')\ntime.sleep(0.5)",
    "a program": "import subprocess\nsubprocess.run(['echo', 'from a program'], check=True)\ntime.sleep(0.5)",
    "shell": "!echo from the shell",
    "warning": "import warnings\nwarnings.warn('careful')",
    "error": "def f():\n    return 1 / 0\nf()",
    "syntax": "def broken(:\n    pass",
    "chained": "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('no') from e",
    "name": "undefined_name",
    "display": "from IPython.display import HTML, display\ndisplay(HTML('<b>x</b>'), {'a': 1})\n'last'",
    "update": "h = display(HTML('first'), display_id=True)\nh.update(HTML('second'))",
    "clear": "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('stays')",
    "wait": "print('gone')\nclear_output(wait=True)\nprint('instead')",
    "updated later": "h.update(HTML('third'))",
    "figure": "import matplotlib.pyplot as plt\nplt.plot([1, 2]);",
    "repr fails": "class Bad:\n    def __repr__(self):\n        raise RuntimeError('no repr')\nBad()",
    "magic": "%%capture caught\nprint('hidden')",
    "captured": "caught.stdout",
    "history": "_1, In[1]",
    "await": "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'",
    "task": "t = asyncio.ensure_future(asyncio.sleep(0.01, 'later'))",
    "task done": "await t",
    "input": "input('name? ')",
    "exit": "raise SystemExit(3)",
    "thread": "import threading\nth = threading.Thread(target=print, args=('from a thread',))\nth.start(); th.join()",
    "fork": "import multiprocessing as mp\np = mp.get_context('fork').Process(target=print, args=('from a child',))\n"
    "p.start(); p.join(); p.exitcode",
    "carriage": "for i in range(3):\n    print(i, end='\\r')",
    "unicode": "print('žluťoučký 漢字 🙂')",
    "lone surrogate": "print('a\\ud800b'.encode('utf-8', 'replace'))",
    "nan": "float('nan'), float('inf')",
    "numpy": "import numpy as np\nnp.arange(3.0)",
    "torch": "import torch\ntorch.ones(2)",
    "kernel": "get_ipython().kernel.implementation",
    "main": "__name__, __builtins__.__name__",
    "empty": "   \n",
    "count": "get_ipython().execution_count",
}
# What differs from run to run: addresses, times, the kernel's folder for cells, names of threads and hosts.
VARYING = [
    (r"0x[0-9a-f]+", "0x"),
    (r"ipykernel_\d+/\d+\.py", "cell.py"),
    (r"/tmp/(?=cell\.py)", ""),
    (r"\x1b\[[0-9;]*m", ""),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    cells = [new_code_cell(source, metadata={"name": name}) for name, source in CELLS.items()]
    theirs = new_notebook(cells=[nbformat.from_dict(cell) for cell in cells])
    folder = str(tmp_path_factory.mktemp("run"))
    with mock.patch.dict(os.environ):
        os.environ.pop("PYTEST_CURRENT_TEST")  # a kernel that sees it captures no descriptors
        Execute(timeout=60).preprocess(theirs, {"metadata": {"path": folder}})
    job = parent.Job(
        nbformat.writes(new_notebook(cells=cells)), "ps1-adaptive-rates", b"key", times=Times(60, 300)
    )
    with parent.warm("ps1-adaptive-rates", 1) as here:
        here.ready()
        done = parent.run(job, here.connections[0], here.package)
    assert done.reason == ""
    return {c.metadata.name: (t, c) for t, c in zip(theirs.cells, done.notebook.cells, strict=True)}


def shown(cell):
    """The outputs, streams joined, without what varies."""
    outputs = []
    for output in cell.outputs:
        data = {k: v for k, v in output.items() if k not in ("execution_count", "metadata", "traceback")}
        if output.output_type == "error":
            data["traceback"] = "\n".join(output.traceback)
        if "data" in data:
            data["data"] = {k: "image" if k == "image/png" else v for k, v in data["data"].items()}
        last = outputs[-1] if outputs else {}
        if last.get("output_type") == "stream" == data["output_type"] and last["name"] == data["name"]:
            last["text"] += data["text"]
        else:
            outputs.append(data)
    text = repr(sorted(outputs, key=lambda o: o.get("name", "")))
    for pattern, instead in VARYING:
        text = re.sub(pattern, instead, text)
    return text


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_shows_the_same(runs, name):
    theirs, ours = runs[name]
    assert shown(ours) == shown(theirs)
    assert ours.execution_count == theirs.execution_count


def test_connections_are_the_only_sockets_that_a_parent_keeps():
    with parent.warm("ps1-adaptive-rates", 2) as here:
        here.ready()
        assert all(c.family == socket.AF_UNIX for c in here.connections)
