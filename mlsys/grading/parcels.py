"""From delivered files to one submission a student: whose they are, which version counts, what they are called."""

from __future__ import annotations

import contextlib
import hashlib
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from mlsys.grading.archive import Delivery, File, Refused, kind
from mlsys.grading.filenames import Parts
from mlsys.grading.names import Clue, original, read, says_all, time_of
from mlsys.grading.roster import Matcher, Person, fold, folder_name

STAMP = "timestamp.txt"


class Unclear(Exception):
    """Why nothing of a student's is placed."""


@dataclass
class Parcel:
    """All that one student delivered. who : the student, or None if made from the platform's number."""

    student: str
    who: Person | None
    files: list[tuple[File, Clue]] = field(default_factory=list)


@dataclass(frozen=True)
class Chosen:
    """files : by their place in the submission;  main : the notebook;  order : later attempts are greater"""

    files: dict[str, Path]
    main: str
    order: tuple[str, int, int]
    time: datetime | None
    notes: tuple[str, ...]


@dataclass
class Sorted:
    """nobody : what fits no student, and why;  others : of other sets, by unit;  refused : with its student"""

    parcels: dict[str, Parcel] = field(default_factory=dict)
    nobody: dict[str, tuple[list[str], str]] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, Refused]] = field(default_factory=list)


def sort(delivery: Delivery, people: list[Person], assignment: str, notebook: str, wrapped: bool) -> Sorted:
    """Give each file to a student. Without any list of students, they are called as the platform numbers them.

    wrapped : whether a folder may lie around all of theirs, as in the zip of a folder
    """
    matcher, found = Matcher(people), Sorted()
    paths = [file.parts for file in delivery.files] + [refused.parts for refused in delivery.refused]
    clues = _clues(paths, matcher, assignment, notebook, wrapped or not people)
    for file in delivery.files:
        clue = clues[file.parts]
        path = "/".join(file.parts)
        if clue.assignment not in ("", assignment):
            found.others[clue.unit] = clue.assignment
            continue
        who, why = matcher.find(clue) if people else (None, "")
        if fold(clue.name) == fold(notebook):
            who, why = None, "its name is the problem set's, and does not say whose it is"
        if why:
            found.nobody.setdefault(clue.unit, ([], why))[0].append(path)
            continue
        student = folder_name(who.id) if who else made_id(clue)
        found.parcels.setdefault(student, Parcel(student, who)).files.append((file, clue))
    for item in delivery.refused:
        clue = clues[item.parts]
        who, why = matcher.find(clue) if people else (None, "")
        found.refused.append(("" if why else folder_name(who.id) if who else made_id(clue), item))
    return found


def made_id(clue: Clue) -> str:
    """A student's id where no list of students is known."""
    if clue.number:
        return f"{clue.platform.lower()}-{clue.number}"
    return folder_name(clue.name)


def _clues(
    items: list[Parts], matcher: Matcher, assignment: str, notebook: str, wrapped: bool
) -> dict[Parts, Clue]:
    """What each name tells: a platform's pattern, or else a student's name before a notebook's."""
    drop = _wrapping(items, matcher, assignment, notebook) if wrapped else 0
    flat = says_all(parts[drop] for parts in items if len(parts) == drop + 1 or kind(parts[drop]))
    clues = {}
    for parts in items:
        clue = read(parts[drop:], flat) or matcher.plain(parts[drop:], assignment, notebook)
        clues[parts] = replace(clue, unit="/".join((*parts[:drop], clue.unit)))
    return clues


def _wrapping(items: list[Parts], matcher: Matcher, assignment: str, notebook: str) -> int:
    """How many folders lie around those of the students."""
    drop = 0
    while items and all(len(parts) > drop + 1 for parts in items):
        first = {parts[drop] for parts in items}
        second = {parts[drop + 1] for parts in items}
        (name,) = first if len(first) == 1 else ("",)
        if not name or kind(name) or matcher.known(name) or read(items[0][drop:], False):
            break
        files = [parts[drop + 1] for parts in items if len(parts) == drop + 2]
        if files and not says_all(files):
            break  # a student's folder
        if assignment in second or f"{notebook}.ipynb" in second:
            break
        drop += 1
    return drop


def choose(parcel: Parcel, released: list[str]) -> Chosen:
    """The version of each file that counts: of the newest attempt, the newest copy.

    Raises Unclear if there is no notebook, or if it cannot be told which of two is the newer.
    """
    numbers = sorted({clue.number for _, clue in parcel.files} - {""})
    if len(numbers) > 1:
        raise Unclear(f"two people of the platform fit this student: numbers {', '.join(numbers)}")
    files, time, notes = _newest(parcel.files)
    places = _places(files)
    versions: dict[str, list[tuple[tuple[int, int], str, File]]] = {}
    for file, clue in files:
        inside = places[file.parts]
        name, copy = original(inside[-1], released) if len(inside) == 1 else (inside[-1], 0)
        place = "/".join((*inside[:-1], name))
        key = unicodedata.normalize("NFC", place.casefold())
        versions.setdefault(key, []).append(((clue.attempt, copy), place, file))
    chosen: dict[str, Path] = {}
    source: dict[str, str] = {}
    for same in versions.values():
        same.sort(key=lambda version: version[0])
        last, place, file = same[-1]
        for earlier, _, other in same[:-1]:
            name = "/".join(other.parts)
            if earlier == last and _digest(other.data) != _digest(file.data):
                raise Unclear(f"it cannot be told which is the newer, {name} or {'/'.join(file.parts)}")
            notes.append(f"older: {name}" if earlier != last else f"the same: {name}")
        chosen[place], source[place] = file.data, "/".join(file.parts)
    notebooks = [place for place in chosen if place.endswith(".ipynb")]
    if not notebooks:
        raise Unclear("there is no notebook in it")
    main = next((name for name in released if name in chosen), sorted(notebooks)[0])
    attempts = [order for same in versions.values() for order, _, _ in same[-1:]]
    if any(clue.late for _, clue in files):
        notes.append("late, says Canvas: a penalty is Canvas's to take, by its policy for late work")
    notes += _forged(files)
    order = (time.isoformat() if time else "", max(a for a, _ in attempts), max(c for _, c in attempts))
    return Chosen(chosen, source[main], order, time, tuple(notes))


def _newest(files: list[tuple[File, Clue]]) -> tuple[list[tuple[File, Clue]], datetime | None, list[str]]:
    """The files of the newest attempt where attempts have times, without the file that says the time."""
    notes: list[str] = []
    times = {clue.time for _, clue in files if clue.time}
    time = max(times, default=None)
    if time:
        notes += [f"older: {unit}" for unit in sorted({c.unit for _, c in files if c.time != time})]
        files = [(file, clue) for file, clue in files if clue.time == time]
    kept = []
    for file, clue in files:
        if clue.inside[-1] != STAMP:
            kept.append((file, clue))
        elif clue.platform == "folder" and file.level == 0 and clue.inside == (STAMP,):
            time = time_of(file.data.read_text(errors="replace")[:100])
            if time is None:
                notes.append(f"{'/'.join(file.parts)} says no time")
        elif clue.platform != "exchange":
            notes.append(f"{'/'.join(file.parts)} was left out: a student may have written it")
    return kept, time, notes


def _forged(files: list[tuple[File, Clue]]) -> list[str]:
    """Whose files of the exchange are another's than their name says: everybody can write there."""
    notes = set()
    for file, clue in files:
        if clue.platform == "exchange" and file.level == 0:
            with contextlib.suppress(KeyError, NotImplementedError):
                if (owner := file.data.owner()) != clue.name:
                    notes.add(f"it says that it is {clue.name}'s, and is {owner}'s")
    return sorted(notes)


def _places(files: list[tuple[File, Clue]]) -> dict[Parts, Parts]:
    """Where each file goes in the submission: without its archive's name, nor folders around all of them."""
    inside = {
        file.parts: tuple(p for p in clue.inside[:-1] if not kind(p)) + clue.inside[-1:]
        for file, clue in files
    }
    while inside and all(len(place) > 1 for place in inside.values()):
        if len({place[0] for place in inside.values()}) > 1:
            break
        inside = {parts: place[1:] for parts, place in inside.items()}
    return inside


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
