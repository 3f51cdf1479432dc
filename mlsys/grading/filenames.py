"""Which names of files are safe on every system, and which are one and the same on some."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

Parts = tuple[str, ...]

DEVICES = {"CON", "PRN", "AUX", "NUL"} | {f"{port}{n}" for port in ("COM", "LPT") for n in range(1, 10)}
TURNED = re.compile("[\u202a-\u202e\u2066-\u2069]")  # characters that make a name read backwards


def parts_of(name: str) -> Parts:
    """Its folders and its name."""
    return tuple(part for part in name.split("/") if part not in ("", "."))


def name_fault(name: str) -> str:
    """Why a name with slashes may not be used, or "" if it may."""
    parts = parts_of(name)
    faults = {
        "a NUL in its name": "\0" in name,
        "a name that is not text": any("\ud800" <= c <= "\udfff" for c in name),
        "control characters in its name": any(unicodedata.category(c) == "Cc" for c in name),
        "characters that turn its name around": bool(TURNED.search(name)),
        "a backslash in its name": "\\" in name,
        "an absolute path": name.startswith("/"),
        "a Windows drive in its name": bool(re.match("[A-Za-z]:", name)),
        "it leads outside with ../": ".." in parts,
        "no name": not parts,
        "a name that Windows reserves": any(p.split(".")[0].rstrip().upper() in DEVICES for p in parts),
        "a name that ends in a dot or a space": any(p[-1] in ". " for p in parts),
        "too many folders in each other": len(parts) > 40,
    }
    found = next((fault for fault, true in faults.items() if true), "")
    if not found and any(len(p.encode()) > 255 for p in parts):
        return "a name longer than 255 bytes"
    return found


def clashing(names: list[Parts]) -> set[Parts]:
    """The names that are one file where case or the form of accents does not count, or a file and a folder at once."""
    keys = {name: tuple(unicodedata.normalize("NFC", p.casefold()) for p in name) for name in names}
    times = Counter(keys[name] for name in names)
    heads = {key[:n] for key in times for n in range(1, len(key))}
    inside = {key for key in times if any(key[:n] in times for n in range(1, len(key)))}
    return {name for name, key in keys.items() if times[key] > 1 or key in heads or key in inside}
