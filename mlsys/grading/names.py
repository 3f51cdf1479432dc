"""What platforms' names for delivered files say: who, which attempt, when.

The patterns are in the form of nbgrader's `zip_collect`, and are read by its FileNameCollectorPlugin. They serve its
own command too, on a clean download: c.FileNameCollectorPlugin.named_regexp = mlsys.grading.names.CANVAS

A student names files too: only the outermost name of a path is the platform's.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from nbgrader.plugins.zipcollect import FileNameCollectorPlugin
from nbgrader.utils import parse_utc

from mlsys.grading.archive import kind
from mlsys.grading.filenames import Parts

PREFIX = r"(?:.*?/)??"  # the folders of nbgrader's own; lazy, for the outermost name that fits
# lovelaceada_LATE_1234_98765_notebook.ipynb: name without spaces, user id, file id, which grows with each attempt
CANVAS = (
    PREFIX + r"(?P<first_name>\w*?)(?P<late>_LATE|_late)?"
    r"_(?P<student_id>\d+)_(?P<attempt>\d+)_(?P<file_id>[^/]+)$"
)
# lovelaceada_1234_text.html: typed into the page, or a link
CANVAS_TEXT = (
    PREFIX + r"(?P<first_name>\w*?)(?P<late>_LATE|_late)?"
    r"_(?P<student_id>\d+)_(?P<file_id>(?:text|link)\.html)$"
)
# anon_x7Yt2_98765_notebook.ipynb: graded anonymously
CANVAS_HIDDEN = (
    PREFIX + r"anon(?P<late>_LATE|_late)?_(?P<student_id>[0-9A-Za-z]{5})_(?P<attempt>\d+)_(?P<file_id>[^/]+)$"
)
# Ada Lovelace_1234_assignsubmission_file_/notebook.ipynb, and as older versions or without folders
MOODLE = (
    PREFIX + r"(?P<first_name>[^/_]+)_(?P<student_id>\d+)_assignsubmission_(?P<kind>[a-z]+)"
    r"(?:_?/|_)(?P<file_id>.+)$"
)
# ps1_ada_attempt_2026-11-20-10-15-00_notebook.ipynb: nbgrader's own example, as Blackboard writes them
DATED = PREFIX + r"[^/]+?_(?P<student_id>[^/_]+)_attempt_(?P<timestamp>\d{4}(?:-\d\d){5})_(?P<file_id>[^/]+)$"
# ada+ps1-adaptive-rates+2026-11-20 10:15:00.000000 UTC+random/notebook.ipynb: inbound/ of nbgrader's exchange
EXCHANGE = (
    PREFIX
    + r"(?P<student_id>[^/]+)\+(?P<assignment>[^/+]+)\+(?P<timestamp>\d{4}-\d\d-\d\d [^/+]+)(?:\+[^/]+)?"
    r"/(?P<file_id>.+)$"
)
RESUBMITTED = re.compile(r"(?P<stem>.+?)(?:-(?P<a>\d{1,3})| ?\((?P<b>\d{1,3})\))")
QUIET = logging.getLogger(__name__)
QUIET.setLevel(logging.CRITICAL)  # nbgrader's plugin warns of every name that is another pattern's


@dataclass(frozen=True)
class Clue:
    """Who handed a file in, as far as its name tells.

    platform : "Canvas", "Moodle", "exchange", "dated" or "folder";  name : as the platform writes it
    number : the platform's, or "";  inside : the file's place in the submission;  unit : what they handed in together
    """

    platform: str
    name: str
    number: str
    inside: Parts
    unit: str
    attempt: int = 0
    time: datetime | None = None
    late: bool = False
    hidden: bool = False
    assignment: str = ""


def says_all(names: Iterable[str]) -> bool:
    """Whether most of a folder's names are as in Canvas's downloads, where the name says all."""
    flat = [_flat(name, (), "") is not None for name in set(names)]
    return 2 * sum(flat) > len(flat)


def read(parts: Parts, flat: bool) -> Clue | None:
    """What a platform's pattern finds in a delivered file's first folder or name; None if it is none of theirs.

    flat : whether names of files there say all;  Moodle and the exchange make a folder a student
    """
    head, rest, path = parts[0], parts[1:], "/".join(parts)
    if found := _match(MOODLE, path):
        hidden = found["first_name"] == "Participant"
        inside = tuple(found["file_id"].split("/"))
        return Clue("Moodle", found["first_name"], found["student_id"], inside, head, hidden=hidden)
    if rest and (found := _match(EXCHANGE, path)) and (time := _time(found["timestamp"])):
        name, of = found["student_id"], found["assignment"]
        return Clue("exchange", name, "", rest, head, time=time, assignment=of)
    if flat and (not rest or kind(head)):
        return _flat(head, rest, head)
    return None


def _flat(name: str, rest: Parts, at: str) -> Clue | None:
    """The platforms that say all in the name of the file."""
    if found := _match(CANVAS_HIDDEN, name):
        late, attempt = bool(found["late"]), int(found["attempt"])
        inside = rest or (found["file_id"],)
        return Clue("Canvas", name, found["student_id"], inside, at, attempt, None, late, True)
    if found := _match(CANVAS, name) or _match(CANVAS_TEXT, name):
        late, attempt = bool(found["late"]), int(found.get("attempt", 0))
        inside = rest or (found["file_id"],)
        return Clue("Canvas", found["first_name"], found["student_id"], inside, at, attempt, None, late)
    if (found := _match(DATED, name)) and (time := _time(_dated(found["timestamp"]))):
        inside = rest or (found["file_id"],)
        return Clue("dated", found["student_id"], "", inside, found["timestamp"], time=time)
    return None


def _match(pattern: str, name: str) -> dict[str, str] | None:
    """nbgrader's own reading of a name by a pattern, from its start."""
    reader = FileNameCollectorPlugin(
        named_regexp=pattern.removeprefix(PREFIX),
        valid_ext=[os.path.splitext(name)[1]],
        log=QUIET,
        parent=None,
    )
    found: dict[str, str] | None = reader.collect(name)
    return found


def _dated(stamp: str) -> str:
    """2026-11-20-10-15-00 -> 2026-11-20 10:15:00"""
    return f"{stamp[:10]} {stamp[11:].replace('-', ':')}"


def _time(text: str) -> datetime | None:
    """A time in UTC, as nbgrader reads it; None if it is none."""
    try:
        time: datetime | None = parse_utc(text)
    except (ValueError, OverflowError):
        return None
    return time


def time_of(text: str) -> datetime | None:
    """What a timestamp.txt says; None where nbgrader could not read it."""
    return _time(text.strip()) if text.strip() else None


def original(name: str, released: Collection[str]) -> tuple[str, int]:
    """A released notebook's name without what a platform or browser added to a second copy, and which copy it is.

    original("ps1-1.ipynb", ["ps1.ipynb"]) -> ("ps1.ipynb", 1); any other name stays, 0
    """
    if name in released or not name.endswith(".ipynb"):
        return name, 0
    found = RESUBMITTED.fullmatch(name.removesuffix(".ipynb"))
    if found and (stem := f"{found['stem']}.ipynb") in released:
        return stem, int(found["a"] or found["b"])
    return name, 0
