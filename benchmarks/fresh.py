"""A function's result from a process of its own: what one heap, one allocator's mood, must not decide.

Each step of training frees and allocates its gradients, and whether the system takes those pages away in between
hangs on what else the process has allocated, and changes a step by half. So each candidate trains in several
processes of its own, in turn with its rivals.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

_CALL = "import json, sys; from {module} import {name}; print(json.dumps({name}(*json.loads(sys.argv[1]))))"


def result(module: str, name: str, *arguments: Any, without: tuple[str, ...] = ()) -> Any:
    """What module.name(*arguments) returns in a new process; arguments and result go as JSON.

    without : environment variables that the process is not to have
    """
    command = [sys.executable, "-c", _CALL.format(module=module, name=name), json.dumps(arguments)]
    env = {key: value for key, value in os.environ.items() if key not in without}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    return json.loads(done.stdout.splitlines()[-1])
