"""Marks into a platform's own exported file: its rows and columns stay, the set's column is filled."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mlsys.grading.errors import CourseError
from mlsys.grading.gradefile import Sheet, number, parsed
from mlsys.grading.roster import fold
from mlsys.grading.standings import CANVAS, MOODLE, Standing, comment


def into_canvas(
    sheet: Sheet, class_: list[Standing], cells: dict[str, str], assignment: str, column: str
) -> set[str]:
    """Fill the set's column of Canvas's exported gradebook; who has a row."""
    id_at, login_at, sis_at = sheet.at("ID"), sheet.at("SIS Login ID"), sheet.at("SIS User ID")
    name_at, last_at, first_at = sheet.at("Student"), sheet.at("LastName"), sheet.at("FirstName")
    if id_at < 0 or (name_at < 0 and last_at < 0):
        raise CourseError("this is not Canvas's gradebook: it has no columns Student and ID. Export it anew.")
    titles = [re.sub(r" \(\d+\)$", "", title) for title in sheet.header]
    at = _column(sheet, titles, column or assignment)
    body = [row for row in sheet.rows[1:] if any(row)]
    for row in body:
        if "Points Possible" in row[0]:
            _same_points(parsed(row[at]), class_, "Canvas")
    body = [row for row in body if "Points Possible" not in row[0] and row[max(name_at, last_at)].strip()]

    def clues(row: list[str]) -> Clues:
        name = row[name_at] if name_at >= 0 else row[last_at] + row[first_at]
        return Clues(row[id_at], [row[at] for at in (login_at, sis_at) if at >= 0], name)

    return _fill(body, at, class_, cells, clues, CANVAS)


def into_moodle(
    sheet: Sheet, class_: list[Standing], cells: dict[str, str], assignment: str, column: str
) -> set[str]:
    """Fill the grades of Moodle's worksheet, or the set's column of its exported gradebook; who has a row."""
    id_at, full_at, comment_at = (
        sheet.at("Identifier"),
        sheet.at("Maximum Grade"),
        sheet.at("Feedback comments"),
    )
    ids = [at for at in (sheet.at("Email address"), sheet.at("ID number"), sheet.at("Username")) if at >= 0]
    names = [
        at
        for at in (sheet.at("Full name"), sheet.at("First name"), sheet.at("Last name", "Surname"))
        if at >= 0
    ]
    if id_at < 0 and not ids:
        raise CourseError(
            "this is neither Moodle's grading worksheet nor its gradebook: it has no column Identifier and none "
            "Email address. Switch Moodle to English, and download it anew."
        )
    wanted = column or ("Grade" if id_at >= 0 else assignment)
    at = _column(sheet, sheet.header, wanted)
    body = [row for row in sheet.rows[1:] if any(row)]
    comma = False
    for row in body if full_at >= 0 else ():
        _same_points(parsed(row[full_at]), class_, "Moodle")
        comma = comma or "," in row[full_at]
    shown = {student: cell.replace(".", ",") if comma else cell for student, cell in cells.items()}

    def clues(row: list[str]) -> Clues:
        found = re.search(r"(\d+)\s*$", row[id_at]) if id_at >= 0 else None
        return Clues(found[1] if found else "", [row[at] for at in ids], " ".join(row[at] for at in names))

    def also(row: list[str], one: Standing) -> None:
        if comment_at >= 0 and not row[comment_at].strip():
            row[comment_at] = comment(one)

    return _fill(body, at, class_, shown, clues, MOODLE, also)


@dataclass(frozen=True)
class Clues:
    """Who a row is about, as the platform says. number : its own;  ids : logins and addresses;  name : in any order"""

    number: str
    ids: list[str]
    name: str


def _fill(
    body: list[list[str]],
    at: int,
    class_: list[Standing],
    cells: dict[str, str],
    clues: Callable[[list[str]], Clues],
    platform: str,
    also: Callable[[list[str], Standing], None] | None = None,
) -> set[str]:
    """Write each student's cell into the row that is theirs; a cell that is blank here leaves the platform's."""
    taken = set()
    names = [fold(clues(row).name) for row in body]
    for row in body:
        one = _whose(clues(row), class_, platform, names)
        if one is None or one.student in taken:
            continue
        taken.add(one.student)
        if cells[one.student]:
            row[at] = cells[one.student]
            if also:
                also(row, one)
    return taken


def _whose(clue: Clues, class_: list[Standing], platform: str, names: list[str]) -> Standing | None:
    """The one student of a row: by the platform's number, else by login or address, else by a name of one alone."""
    number = clue.number.strip()
    found = [one for one in class_ if number and one.numbers.get(platform) == number]
    if not found:
        ids = {text.strip().casefold() for text in clue.ids} - {""}
        unnumbered = [one for one in class_ if not number or not one.numbers.get(platform)]
        found = [one for one in unnumbered if {one.person.id.casefold(), one.person.email.casefold()} & ids]
        if not found and names.count(fold(clue.name)) == 1:
            found = [one for one in unnumbered if fold(clue.name) in one.person.names]
    return found[0] if len(found) == 1 else None


def _column(sheet: Sheet, titles: list[str], wanted: str) -> int:
    """The one column of this name, or the one that contains it. Raises CourseError, which lists what there is."""
    for fits in (
        lambda title: title.strip().casefold() == wanted.casefold(),
        lambda title: wanted.casefold() in title.casefold(),
    ):
        for names in (titles, sheet.header):
            found = [at for at, title in enumerate(names) if fits(title)]
            if len(found) == 1:
                return found[0]
    raise CourseError(
        f"there is no one column {wanted!r}. Name one with --column: {', '.join(filter(None, sheet.header))}."
    )


def _same_points(theirs: float | None, class_: list[Standing], platform: str) -> None:
    """Raise CourseError where the platform counts in other points than the set."""
    full = class_[0].full if class_ else None
    if theirs is not None and full is not None and abs(theirs - full) > 1e-6:
        raise CourseError(
            f"{platform} has {number(theirs)} points for it, the problem set {number(full)}. "
            f"Set {platform}'s to {number(full)}, and export its file anew."
        )
