"""What a box shows of the host's files, and what it lets be written."""

import os
import socket
from pathlib import Path

from a_box import HOME, ROOT, inside, outside

from mlsys.grading.sandbox.box import SYSTEM

READ = """
import json
got = []
for path in {paths!r}:
    try:
        open(path, "rb").read(1)
        got.append(path)
    except OSError:
        pass
print(json.dumps(got))
"""


def test_nothing_of_the_host_can_be_read_but_what_is_listed(mode, open_path):
    other = open_path / "another.ipynb"
    other.write_text("another student's work")
    other.chmod(0o644)
    paths = ["/etc/shadow", "/etc/hostname", str(ROOT / "pyproject.toml"), str(other), "/proc/1/environ"]
    paths += ["/proc/1/mem", "/proc/1/root/etc/hostname", "/proc/1/cwd", f"/proc/{os.getpid()}/environ"]
    program = READ.format(paths=paths)
    assert str(other) in outside(program)
    assert inside(program, mode).out == "[]\n"


def test_the_root_holds_what_is_listed_and_the_box_s_own(mode):
    ran = inside('import os; print(*os.listdir("/")); print(*os.listdir("/etc"))', mode)
    top, etc = (set(line.split()) for line in ran.lines)
    first = {Path(p).parts[1] for p in (os.path.realpath(os.sys.executable), os.sys.prefix, str(ROOT))}
    assert top <= {"usr", "bin", "lib", "lib64", "proc", "dev", "sbin", "lib32", "tmp", "etc", "home"} | first
    assert etc <= {"passwd", "group", "hosts"} | {Path(p).name for p in SYSTEM if p.startswith("/etc/")}


def test_a_listed_folder_in_a_course_does_not_bring_the_course(mode, open_path):
    course = open_path / "course"
    (course / "venv" / "lib").mkdir(parents=True)
    (course / "venv" / "lib" / "module.txt").write_text("module")
    (course / "gradebook.db").write_text("marks")
    program = (
        f"import os; print(os.listdir({str(course)!r}), open({str(course / 'venv/lib/module.txt')!r}).read())"
    )
    ran = inside(program, mode, readable=[str(course / "venv"), str(course / "venv" / "lib")])
    assert ran.out == "['venv'] module\n"


def test_masked_folders_and_files_are_empty_and_what_is_listed_inside_is_there(mode, open_path):
    package = open_path / "package"
    for name in ("grader/hidden.py", "grader/public/open.py", "taught.py", "kept.py"):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(name)
    os.symlink("package", open_path / "link")
    program = f"""
import os
os.chdir({str(package)!r})
print(os.listdir("grader"), *(open(name).read() for name in ("grader/public/open.py", "taught.py", "kept.py")))
print(os.listdir({str(open_path / "link" / "grader")!r}))
for path in ("kept.py", "taught.py", "grader/new.py", "grader/public/new.py"):
    try:
        open(path, "w")
        print("wrote", path)
    except OSError as error:
        print(error.strerror)
"""
    readable = [str(package), str(package / "grader" / "public"), str(open_path / "link")]
    masked = [str(package / name) for name in ("grader", "taught.py", "not-there")]
    ran = inside(program, mode, readable=readable, masked=masked)
    assert ran.told == {"event": "exit", "code": 0}
    assert ran.lines[:2] == ["['public'] grader/public/open.py  kept.py", "['public']"]
    assert ran.lines[2:] == ["Read-only file system"] * 4


def test_nothing_but_home_and_tmp_can_be_written(mode):
    program = f"""
import os
for folder in ("/", "/usr", "/etc", "/dev", "/proc", "/home", {os.sys.prefix!r}, {HOME!r}, "/tmp", "/dev/shm"):
    try:
        open(folder + "/new", "w").close()
        print(folder)
    except OSError:
        pass
try:
    open("/proc/self/oom_score_adj", "w").write("0")
    print("oom")
except OSError:
    pass
"""
    assert inside(program, mode).lines == [HOME, "/tmp", "/dev/shm"]


def test_what_is_mounted_inside_a_listed_folder_is_read_only_too(mode, open_path):
    inner = open_path / "inner"
    inner.mkdir()
    warm = f"""
from mlsys.grading.sandbox import linux
linux.unshare(linux.NEWNS)
linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
linux.mount("test", {str(inner)!r}, "tmpfs", 0, "mode=0777")
open({str(inner / "file")!r}, "w").write("there")
"""
    program = f"""
print(open({str(inner / "file")!r}).read())
try:
    open({str(inner / "file")!r}, "w")
except OSError as error:
    print(error.strerror)
"""
    if os.geteuid():  # who may not mount: the folder itself then
        (inner / "file").write_text("there")
        warm = ""
    ran = inside(program, mode, readable=[str(open_path)], warm=warm)
    assert ran.lines == ["there", "Read-only file system"]


def test_programs_of_the_system_give_no_other_user_s_rights(mode):
    program = """
import os
for folder in ("/usr", "/tmp", "/proc"):
    flags = os.statvfs(folder).f_flag
    print(bool(flags & os.ST_NOSUID), bool(flags & os.ST_NODEV))
"""
    assert inside(program, mode).lines == ["True True"] * 3


def test_plain_files_are_copied_to_home_and_nothing_else_is(mode, open_path):
    files = open_path / "files"
    (files / "deep").mkdir(parents=True)
    (files / "data.csv").write_text("1,2")
    (files / "deep" / "a name.txt").write_text("deep")
    os.symlink("/etc/passwd", files / "link")
    os.mkfifo(files / "pipe")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(files / "socket"))
    program = """
import os
print(sorted(os.listdir(".")), open("data.csv").read(), open("deep/a name.txt").read())
open("data.csv", "a").write("!")
os.remove("deep/a name.txt")
"""
    ran = inside(program, mode, files=str(files))
    assert ran.out == "['data.csv', 'deep'] 1,2 deep\n"
    assert ran.told == {"event": "exit", "code": 0}
    assert (files / "data.csv").read_text() == "1,2"


def test_files_over_the_cap_are_refused_in_words(mode, open_path):
    (open_path / "large").write_bytes(bytes(3 << 20))
    ran = inside("print('ran')", mode, files=str(open_path), limits={"file_bytes": 2 << 20})
    assert ran.out == ""
    assert "do not fit in 2 MiB" in ran.told["reason"]


FILL = """
import errno, os
written, ended = 0, set()
for folder in (".", "/tmp", "/dev/shm"):
    try:
        with open(folder + "/large", "wb", buffering=0) as file:
            while True:
                written += file.write(bytes(1 << 20))
    except OSError as error:
        ended.add(error.errno)
print(written >> 20, ended <= {errno.ENOSPC, errno.EFBIG})
"""
MANY = """
made = 0
try:
    for folder in (".", "/tmp", "/dev/shm"):
        for i in range(300):
            open(f"{folder}/{i}", "w").close()
            made += 1
except OSError as error:
    print(made < 500, error.strerror)
"""


def test_all_that_is_written_together_is_capped(mode):
    sparse = {"file_bytes": 8 << 20, "files": 500}
    filled = inside(FILL, mode, limits=sparse).out.split()
    assert 6 <= int(filled[0]) <= 8
    assert filled[1] == "True"
    assert inside(MANY, mode, limits=sparse).out == "True No space left on device\n"


def test_a_path_that_is_not_there_or_not_a_path_is_refused_in_words(mode):
    assert "No such file" in inside("", mode, readable=["/not/there"]).told["reason"]
    assert "must be an absolute path" in inside("", mode, readable=["usr"]).told["reason"]
    assert "must be an absolute path" in inside("", mode, readable=["/"]).told["reason"]


def test_a_folder_closed_to_the_box_s_user_is_refused_in_words(mode, open_path):
    shut = open_path / "shut"
    shut.mkdir(mode=0)
    reason = inside("", mode, readable=[str(shut)]).told["reason"]
    assert f"{shut} is closed to the sandbox's user; open it: chmod" in reason


def test_the_environment_is_the_one_given_and_the_starter_s_is_nowhere(mode):
    program = """
import os
print(dict(os.environ))
print("hunter2" in open("/proc/self/environ").read(), os.popen("echo $SECRET $COURSE").read().strip())
"""
    ran = inside(program, mode, secret="hunter2", environment={"COURSE": "mlsys", "PATH": "/usr/bin:/bin"})
    assert ran.lines == ["{'COURSE': 'mlsys', 'PATH': '/usr/bin:/bin'}", "False mlsys"]
