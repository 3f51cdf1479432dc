"""Archives written by hand, and a room to open them in."""

import zipfile

from a_course import digest

from mlsys.grading.archive import Limits, unpack

SMALL = Limits(
    files=50,
    file_bytes=50_000,
    total_bytes=200_000,
    nested_files=10,
    nested_bytes=100_000,
    ratio=100,
    ratio_from_bytes=20_000,
)


def unpacked(tmp_path, data, name="a.zip", limits=SMALL):
    """The delivery in an archive's bytes, and whether anything appeared outside the staging folder."""
    room = tmp_path / "room"
    (room / "staging").mkdir(parents=True)
    source = tmp_path / name
    source.write_bytes(data)
    before = digest(tmp_path)
    found = unpack(source, room / "staging", limits)
    after = {path for path in digest(tmp_path) if not path.startswith("room/staging/")}
    assert after == set(before)
    assert all(path.name.isdigit() for path in (room / "staging").iterdir())
    return found


def entry(name, mode=0, **attributes):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name  # as written by hand: ZipInfo would cut it at a NUL
    info.external_attr = mode << 16
    for key, value in attributes.items():
        setattr(info, key, value)
    return info
