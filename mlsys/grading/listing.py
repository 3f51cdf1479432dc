"""What the terminal shows of work brought in and marks taken out."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mlsys.grading import collect
from mlsys.grading.collect import Collected
from mlsys.grading.export import Exported

COLOURS = dict.fromkeys(collect.NOT_PLACED, "red") | dict.fromkeys((collect.OLDER, collect.KEPT), "yellow")


def show_collected(console: Console, title: str, collected: Collected) -> None:
    """A row a submission; then what is not placed, each with its file and reason, and the remarks."""
    placed = [row for row in collected.rows if row.status not in collect.NOT_PLACED]
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold underline")
    for heading in ("student", "file", "where it went", "status", "note"):
        table.add_column(heading, overflow="fold")
    for row in placed:
        status = Text(row.status, style=COLOURS.get(row.status, "green"))
        table.add_row(*map(plain, (row.student, row.file, row.where or "–")), status, plain(row.note))
    if placed:
        console.print(table)
    if collected.not_placed:
        console.print(Text(f"Not placed, and still where it was ({len(collected.not_placed)}):", style="red"))
    for row in collected.not_placed:
        who = f" [{row.student}]" if row.student else ""
        console.print(
            Text.assemble(("  " + shown(row.file), "red"), f"{shown(who)}: {shown(row.note)}"), soft_wrap=True
        )
    for remark in collected.remarks:
        console.print(Text(shown(remark), style="yellow"), soft_wrap=True)


def show_exported(console: Console, exported: Exported) -> None:
    """How many marks there are, and who has none, by reason."""
    console.print(f"{exported.written} marks in {exported.path}", highlight=False)
    reasons: dict[str, list[str]] = {}
    for student, why in exported.blank.items():
        reasons.setdefault(why, []).append(student)
    for why, students in reasons.items():
        line = f"{len(students)} not final: {shown(why)}: {shown(', '.join(students))}"
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if exported.absent:
        line = f"with a mark, and no row in the file ({len(exported.absent)}): {shown(', '.join(exported.absent))}"
        console.print(Text(line, style="red"), soft_wrap=True)


def plain(text: str) -> Text:
    """As it is: a name may look like markup."""
    return Text(shown(text))


def shown(text: str) -> str:
    """A stranger's name as the terminal may have it: control characters and turned text are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
