"""What a machine lacks is found and named with its remedy, and then there is no box."""

import json
import os
import subprocess
import sys

import pytest
from a_box import ROOT

from mlsys.grading.errors import CourseError
from mlsys.grading.sandbox import features, linux, probes


def probed(before: str) -> dict[str, str]:
    """What the probes find after some code has taken something from them: probe and reason."""
    program = f"from mlsys.grading.sandbox import linux, probes, seccomp, features\n{before}\nprobes.main()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=30, check=True
    )
    return dict(json.loads(done.stdout))


def test_this_machine_lacks_nothing():
    assert features.missing() == []
    features.require()


def test_where_user_namespaces_are_forbidden_it_says_so_and_stops():
    """As on Ubuntu, or with user.max_user_namespaces 0: here by a namespace of our own in which that is set."""
    forbid = """
import os
uid, gid = os.geteuid(), os.getegid()
if os.fork():  # numpy's threads stay behind: whoever has threads may not change its user namespace
    os.wait()
    os._exit(0)
linux.unshare(linux.NEWUSER)
linux.INSIDE = 0
linux.map_ids("self", uid, gid, "deny")
linux.INSIDE = 1000
open("/proc/sys/user/max_user_namespaces", "w").write("0")
"""
    assert probed(forbid) == {"user_namespace": "No space left on device (unshare)"}


def test_in_a_container_s_filter_each_missing_feature_is_named():
    """The box's own filter forbids what Docker's does."""
    found = probed("linux.no_new_privileges(); seccomp.install()")
    assert found == {"user_namespace": "Operation not permitted (unshare)"}


def test_each_probe_can_fail():
    """Every call that the probes make is made to fail, one at a time."""
    spoiled = {
        "unshare": {"user_namespace"},
        "mount": {"mount_namespace", "own_root", "own_proc"},
        "restrict": {"own_root"},
        "pivot_root": {"own_root"},
        "loopback_up": {"net_namespace"},
        "filter_calls": {"seccomp_filter"},
        "drop_capabilities": {"no_rights"},
    }
    for name, expected in spoiled.items():
        found = probed(f"def fail(*_, **__): raise OSError(1, 'spoiled', {name!r})\nlinux.{name} = fail")
        assert expected <= set(found) | {"process_limit"}, name
        assert "spoiled" in "".join(found.values())
    assert set(probed("import resource; probes.resource.setrlimit = lambda *_: None")) == {"process_limit"}
    assert set(probed("probes.watch.own_bytes = lambda _: 0")) == {"memory_count"}
    assert set(probed("probes.platform.release = lambda: '5.10.0-3'")) == {"kernel"}


def test_every_feature_has_a_probe_a_remedy_and_a_row():
    rows = features.rows()
    assert len({feature.probe for feature in features.TABLE}) == len(features.TABLE) == len(rows) - 1
    assert all(callable(getattr(probes, feature.probe)) for feature in features.TABLE)
    assert all(isinstance(text, str) and text for row in rows for text in row)
    assert {len(row) for row in rows} == {6}
    assert {row[3] for row in rows[1:]} == {"required", "not there"}


def test_what_is_missing_is_refused_with_the_remedy(monkeypatch):
    lacks = [features.Missing(features.TABLE[1], "Operation not permitted (unshare)")]
    monkeypatch.setattr(features, "missing", lambda: lacks)
    with pytest.raises(features.SandboxMissing, match="max_user_namespaces") as refused:
        features.require()
    assert isinstance(refused.value, CourseError)
    assert "Operation not permitted" in str(refused.value)


def test_another_system_is_sent_to_docker(monkeypatch):
    monkeypatch.setattr(features.sys, "platform", "darwin")
    (lack,) = features.missing()
    assert "Docker" in str(lack)


def test_files_closed_to_others_are_found_before_a_class_is_graded(open_path, monkeypatch):
    (open_path / "package").mkdir()
    for name in ("open.py", "closed.py"):
        (open_path / "package" / name).write_text("")
    (open_path / "package" / "closed.py").chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert features.closed([str(open_path)]) == [str(open_path / "package" / "closed.py")]
    monkeypatch.setattr(features, "missing", list)
    with pytest.raises(features.SandboxMissing, match=r"closed\.py.*chmod"):
        features.require([str(open_path)])


@pytest.mark.parametrize(
    ("uid_map", "expected"),
    [
        ("0 0 4294967295", 200_007),
        ("0 1000 1\n1 100000 65536", 65537 - 4096 + 7),
        ("0 1000 1", None),
    ],
)
def test_a_slot_s_user_is_one_that_the_host_can_name(monkeypatch, tmp_path, uid_map, expected):
    (tmp_path / "map").write_text(uid_map)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr("builtins.open", lambda path, _open=open: _open(tmp_path / "map"))
    assert linux.spare_id(7) == expected


def test_an_ordinary_user_has_no_other_to_give(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert linux.spare_id(7) is None
