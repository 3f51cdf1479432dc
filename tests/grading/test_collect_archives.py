"""Every archive trick is refused by name; nothing is written outside, and the honest work beside it is placed."""

import io
import stat
import struct
import tarfile
import zipfile

import pytest
from a_course import NOTEBOOK, PS, digest
from platforms import canvas, class_list, notebook, placed, save, tree, zipped
from tricks import SMALL, entry, unpacked

from mlsys.grading.archive import CLASH, unpack
from mlsys.grading.collect import PLACED, REFUSED, collect
from mlsys.grading.errors import CourseError


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a device"),
    ],
)
def test_a_tar_with_something_else_than_a_file(tmp_path, kind, reason):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo("odd")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
        through = tarfile.TarInfo("odd/inside")
        archive.addfile(through)
    found = unpacked(tmp_path, stream.getvalue(), "a.tar")
    assert {refused.reason for refused in found.refused} == {reason, CLASH}
    assert found.files == []


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (stat.S_IFLNK | 0o777, "a link"),
        (stat.S_IFCHR | 0o666, "a device"),
        (stat.S_IFIFO | 0o666, "a device"),
        (stat.S_IFSOCK | 0o666, "a device"),
    ],
)
def test_a_zip_with_something_else_than_a_file(tmp_path, mode, reason):
    found = unpacked(tmp_path, zipped([(entry("odd", mode), b"/etc/passwd")]))
    assert [refused.reason for refused in found.refused] == [reason]


def test_an_encrypted_zip(tmp_path):
    data = bytearray(zipped({NOTEBOOK: notebook()}))
    for mark, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flag in the file's head and in the list
        data[data.index(mark) + at] |= 1
    found = unpacked(tmp_path, bytes(data))
    assert found.refused[0].reason == "encrypted: ask for it without a password"


def test_a_corrupt_zip_and_a_corrupt_file_in_one(tmp_path):
    data = zipped([("a.txt", b"a" * 2000), ("b.txt", b"b" * 2000)])
    assert "corrupt" in unpacked(tmp_path / "1", data[: len(data) // 2]).refused[0].reason
    broken = bytearray(data)
    broken[45] ^= 0xFF
    found = unpacked(tmp_path / "2", bytes(broken))
    assert [refused.parts for refused in found.refused] == [("a.txt",)]
    assert [file.parts for file in found.files] == [("b.txt",)]
    assert "corrupt" in unpacked(tmp_path / "3", b"not a zip").refused[0].reason
    assert "corrupt" in unpacked(tmp_path / "4", b"\x1f\x8bnot a tar", "a.tar.gz").refused[0].reason
    assert "corrupt" in unpacked(tmp_path / "5", b"").refused[0].reason


@pytest.fixture(autouse=True)
def folders(tmp_path):
    for n in range(1, 8):
        (tmp_path / str(n)).mkdir()


def test_bombs(tmp_path):
    ratio = unpacked(tmp_path / "1", zipped({"zeros": bytes(40_000)}))
    assert "more than 100 times its size" in ratio.refused[0].reason
    large = unpacked(tmp_path / "2", zipped({"noise": bytes(60_000)}))
    assert "larger than" in large.refused[0].reason
    total = unpacked(tmp_path / "3", zipped({f"{n}": bytes(range(256)) * 70 for n in range(20)}))
    assert [refused.reason for refused in total.refused] == ["it unpacks to more than 0.190735 MiB"]
    many = unpacked(tmp_path / "4", zipped({f"{n}": b"" for n in range(60)}))
    assert [refused.reason for refused in many.refused] == ["too many files"]
    tight = SMALL._replace(directory_bytes=1000)
    assert unpacked(tmp_path / "5", zipped({f"{n}": b"" for n in range(49)}), limits=tight).refused
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        info = tarfile.TarInfo("zeros")
        info.size = 45_000
        archive.addfile(info, io.BytesIO(bytes(45_000)))
    assert "times its size" in unpacked(tmp_path / "6", tar.getvalue(), "a.tgz").refused[0].reason


def test_a_file_larger_than_it_says(tmp_path):
    data = bytearray(zipped({"a.txt": bytes(range(256)) * 40}))
    at = data.index(b"PK\1\2")
    struct.pack_into("<L", data, at + 24, 10)
    found = unpacked(tmp_path, bytes(data))
    assert "corrupt" in found.refused[0].reason
    assert found.files == []


def test_archives_in_archives(tmp_path):
    one = zipped({NOTEBOOK: notebook()})
    two = zipped({"one.zip": one})
    three = zipped({"two.zip": two, "beside.txt": b"x"})
    assert [f.parts for f in unpacked(tmp_path / "1", two).files] == [("one.zip", NOTEBOOK)]
    found = unpacked(tmp_path / "2", three)
    assert [f.parts for f in found.files] == [("beside.txt",)]
    assert [(r.parts, r.reason) for r in found.refused] == [
        (("two.zip", "one.zip"), "an archive in an archive of an archive")
    ]


def test_a_bomb_inside_costs_nobody_else(tmp_path):
    data = zipped(
        {
            "bomb.zip": zipped({f"{n}": bytes(range(256)) * 70 for n in range(8)}),
            "many.zip": zipped({f"{n}": b"" for n in range(20)}),
            "good.zip": zipped({NOTEBOOK: notebook()}),
        }
    )
    found = unpacked(tmp_path, data)
    assert sorted(r.parts for r in found.refused) == [("bomb.zip",), ("many.zip",)]
    assert [f.parts for f in found.files] == [("good.zip", NOTEBOOK)]


@pytest.mark.parametrize("name", ["a.7z", "a.rar"])
def test_what_the_standard_library_cannot_open_is_named(tmp_path, name):
    assert "ask for a zip" in unpacked(tmp_path, b"7z", name).refused[0].reason


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_tars(tmp_path, name):
    tree(tmp_path / "work", {NOTEBOOK: notebook(), "data/x.csv": b"1"})
    stream = io.BytesIO()
    mode = {"tgz": "gz"}.get(name.split(".")[-1], name.split(".")[-1])
    with tarfile.open(fileobj=stream, mode="w" if mode == "tar" else f"w:{mode}") as archive:
        archive.add(tmp_path / "work", ".")
    found = unpacked(tmp_path, stream.getvalue(), name)
    assert sorted(file.parts for file in found.files) == [("data", "x.csv"), (NOTEBOOK,)]
    assert found.refused == []


def test_links_in_a_folder_are_named_and_not_followed(tmp_path):
    secret = tree(tmp_path / "secret", {"x.ipynb": b"secret"})
    work = tree(tmp_path / "work", {f"ada/{NOTEBOOK}": notebook()})
    (work / "ada" / "link.ipynb").symlink_to(secret / "x.ipynb")
    (work / "bla").symlink_to(secret)
    found = unpack(work, tmp_path / "staging")
    assert [file.parts for file in found.files] == [("ada", NOTEBOOK)]
    assert {r.parts: r.reason for r in found.refused} == {("ada", "link.ipynb"): "a link", ("bla",): "a link"}


def test_a_macs_zip(tmp_path):
    """Names in UTF-8 without the flag that says so, and the files it puts beside."""
    data = zipped({"Émilie/x.ipynb": notebook(), "__MACOSX/Émilie/._x.ipynb": b"", "Émilie/.DS_Store": b""})
    assert zipfile.ZipFile(io.BytesIO(data)).infolist()[0].flag_bits & 0x800
    unmarked = bytearray(data)
    for mark, at in ((b"PK\3\4", 7), (b"PK\1\2", 9)):
        start = 0
        while (start := unmarked.find(mark, start)) >= 0:
            unmarked[start + at] &= ~8
            start += 1
    found = unpacked(tmp_path, bytes(unmarked))
    assert [file.parts for file in found.files] == [("Émilie", "x.ipynb")]
    assert found.refused == []


def test_a_trick_costs_a_student_the_file_and_nobody_else_anything(course, tmp_path):
    students = class_list(tmp_path / "students.csv")
    evil = zipped(
        [
            ("../../evil.ipynb", b"x"),
            (entry("link", stat.S_IFLNK | 0o777), b"/etc/passwd"),
            (NOTEBOOK, notebook("a")),
        ]
    )
    bomb = zipped({"zeros": bytes(12 * 2**20)})
    files = {
        canvas("Lovelace", "Ada", 1001, 5, "work.zip"): evil,
        canvas("Pascal", "Blaise", 1002, 6): notebook("b"),
        canvas("du Châtelet", "Émilie", 1003, 7, "bomb.zip"): bomb,
    }
    before = digest(tmp_path)
    done = collect(course, PS, save(tmp_path / "submissions.zip", files), students)
    assert {(row.student, row.status) for row in done.rows if row.status == PLACED} == {
        ("ada", PLACED),
        ("bla", PLACED),
    }
    assert (placed(course, "ada"), placed(course, "bla")) == ("a", "b")
    refused = {row.student: row.note for row in done.not_placed if row.status == REFUSED}
    assert refused == {"ada": "a link", "emi": "it unpacks to more than 200 times its size"}
    assert len(done.not_placed) == 3
    changed = set(digest(tmp_path)) - set(before) - {"submissions.zip"}
    assert all(path.startswith(("course/submitted/", "course/.mlsys/collected/")) for path in changed)


def test_a_full_disk_is_ours_and_not_the_archives(tmp_path, monkeypatch):
    def full(self, *arguments):
        stream = io.BytesIO()
        stream.write = lambda block: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        return stream

    source = save(tmp_path / "a.zip", {NOTEBOOK: notebook()})
    (tmp_path / "staging").mkdir()
    opened = type(source).open
    monkeypatch.setattr(
        type(source), "open", lambda self, mode="r": full(self) if "x" in mode else opened(self, mode)
    )
    with pytest.raises(CourseError, match="No space left on device"):
        unpack(source, tmp_path / "staging")
