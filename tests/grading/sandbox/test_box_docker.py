"""The form of Docker's command line; Docker itself is not needed."""

import csv
import os
from pathlib import Path

import pytest

from mlsys.grading.sandbox import docker

COURSE = Path("/somewhere/a, course")


@pytest.fixture
def words():
    return docker.command(COURSE, ["grade", "ps1-adaptive-rates", "--json"])


def after(words, option):
    return [words[i + 1] for i, word in enumerate(words) if word == option]


def test_the_command_is_what_was_asked_in_the_image(words):
    assert words[:2] == ["docker", "run"]
    assert words[words.index(docker.IMAGE) :] == [
        docker.IMAGE,
        "mlsys",
        "grade",
        "ps1-adaptive-rates",
        "--json",
    ]


def test_only_the_course_is_mounted_whatever_its_name(words):
    (mount,) = after(words, "--mount")
    (fields,) = csv.reader([mount])
    assert dict(field.split("=") for field in fields) == {
        "type": "bind",
        "source": str(COURSE),
        "target": docker.COURSE,
    }
    assert "--volume" not in words
    assert after(words, "--workdir") == [docker.COURSE]


def test_no_network_no_capability_no_root(words, monkeypatch):
    assert after(words, "--network") == ["none"]
    assert after(words, "--cap-drop") == ["ALL"]
    assert not {"--privileged", "--cap-add", "--pid", "--ipc"} & set(words)
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert after(docker.command(COURSE, []), "--user") == ["1000:1000"]
    monkeypatch.setattr(os, "getuid", lambda: 501)
    monkeypatch.setattr(os, "getgid", lambda: 20)
    assert after(docker.command(COURSE, []), "--user") == ["501:20"]
    monkeypatch.delattr(os, "getuid")  # Windows
    assert after(docker.command(COURSE, []), "--user") == ["1000:1000"]


def test_the_security_options_are_those_that_boxes_need_and_no_more(words):
    options = after(words, "--security-opt")
    assert options == ["no-new-privileges", *docker.OPTIONS]
    assert set(docker.OPTIONS) == {"seccomp=unconfined", "apparmor=unconfined", "systempaths=unconfined"}


def test_a_relative_course_is_refused_in_words():
    with pytest.raises(ValueError, match="absolute"):
        docker.command(Path("course"), [])


def test_the_image_is_built_from_the_dockerfile_that_comes_with_the_package():
    words = docker.build_command(Path("/checkout"))
    assert words == ["docker", "build", "--tag", docker.IMAGE, "--file", str(docker.DOCKERFILE), "/checkout"]
    text = docker.DOCKERFILE.read_text()
    assert "FROM python:3.1" in text
    assert "/src[lab]" in text
