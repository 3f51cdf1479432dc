"""What honest notebooks do works in a box."""

from a_box import inside

ORDINARY_WORK = """
import multiprocessing, os, pty, subprocess, tempfile, getpass, pathlib
def square(x):
    return x * x
context = multiprocessing.get_context("fork")
with context.Pool(2) as pool:
    print(pool.map(square, range(4)))
shared = context.Value("d", 2.5)
print(shared.value, context.Lock().acquire())
print(subprocess.run(["true"]).returncode, os.popen("echo hello | tr a-z A-Z").read().strip())
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "x").write_text("written")
    print(pathlib.Path(folder, "x").read_text())
ours, theirs = pty.openpty()
print(os.isatty(theirs), getpass.getuser(), pathlib.Path.home())
"""
LIBRARIES = """
import numpy, torch
torch.set_num_threads(2)
a = numpy.ones((300, 300)); b = torch.ones(300, 300)
print((a @ a)[0, 0], (b @ b)[0, 0].item(), torch.get_num_threads())
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.savefig("figure.png")
import os
print(os.path.getsize("figure.png") > 1000)
loader = torch.utils.data.DataLoader(torch.arange(6), batch_size=3, num_workers=2)
print([batch.tolist() for batch in loader])
"""


def test_processes_terminals_and_temporary_files(mode):
    ran = inside(ORDINARY_WORK, mode)
    assert ran.lines == [
        "[0, 1, 4, 9]",
        "2.5 True",
        "0 HELLO",
        "written",
        "True student " + "/home" + "/student",
    ]


def test_numpy_torch_and_matplotlib(mode):
    ran = inside(LIBRARIES, mode, warm="import numpy, torch", timeout_s=60)
    assert ran.lines == ["300.0 300.0 2", "True", "[[0, 1, 2], [3, 4, 5]]"], ran.out
