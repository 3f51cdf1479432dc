"""A PostgreSQL server of the tests' own."""

import functools
import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

PACKAGE = "postgresql"  # Debian's


def tools():
    """The folder of initdb and postgres, which Debian keeps off PATH; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    here = shutil.which("initdb")
    return found[-1].parent if found else Path(os.path.realpath(here)).parent if here else None


def _ordinary():
    """Settings of a child process so that it is no root, which PostgreSQL refuses."""
    if os.geteuid():
        return {}
    who = next(p for p in (*_named("postgres"), *_named("nobody")))
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


def _named(name):
    try:
        yield pwd.getpwnam(name)
    except KeyError:
        return


@contextmanager
def postgresql():
    """A server on a unix socket in a temporary folder; made(name, copied from) gives a new database's URL."""
    folder, at, user = Path(tempfile.mkdtemp(prefix="mlsys-pg-")), tools(), _ordinary()
    if user:
        os.chown(folder, user["user"], user["group"])
    data, quiet = folder / "data", {"stdout": subprocess.DEVNULL, "cwd": folder, **user}
    control = [at / "pg_ctl", "-D", data, "-w", "-s"]
    try:
        subprocess.check_call(
            [at / "initdb", "-D", data, "-U", "grader", "-A", "trust", "-E", "UTF8", "--no-sync"], **quiet
        )
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
        subprocess.check_call([*control, "-l", folder / "log", "-o", options, "start"], **quiet)
        try:
            yield functools.partial(_database, folder)
        finally:
            subprocess.check_call([*control, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _database(folder, name, model="template1"):
    import psycopg

    with psycopg.connect(host=str(folder), user="grader", dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{model}"')
    return f"postgresql+psycopg://grader:a-password@/{name}?host={folder}"
