"""Where the tests of grading work: a course's folder, and commands run in it."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PS = "ps1-adaptive-rates"
NOTEBOOK = f"{PS}.ipynb"


def environment():
    """As in a shell where the environment is active, and this repository's package is the one imported."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(REPOSITORY), "COLUMNS": "200"}


def start(command, folder):
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def mlsys(*arguments, folder):
    """Run `mlsys …` in a folder."""
    done = start([sys.executable, "-m", "mlsys.cli", *map(str, arguments)], folder)
    out, err = done.communicate(timeout=300)
    return subprocess.CompletedProcess(arguments, done.returncode, out, err)


def digest(folder):
    """Every file under a folder with a hash of its bytes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def new_course(root):
    """A course folder with the settings and the solutions, nothing else."""
    root.mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "nbgrader_config.py", root)
    shutil.copytree(REPOSITORY / "solutions", root / "solutions")
    return root
