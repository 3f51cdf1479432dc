"""Who came from a process, and who of them still runs."""

from pathlib import Path


def family(pid):
    """A process and all that come from it, by number and start: also those in sessions of their own."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append((int(path.parent.name), fields[19]))
    found, todo = [], [pid]
    while todo:
        more = children.get(todo.pop(), [])
        found += more
        todo += [number for number, _ in more]
    return found


def alive(people):
    """Those of these processes that still run."""
    left = []
    for number, start in people:
        try:
            fields = Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[19] == start and fields[0] not in "ZX":
            left.append(number)
    return left
