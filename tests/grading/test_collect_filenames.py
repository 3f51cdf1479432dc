"""Names of files: what is refused, what clashes, and that any other name comes through as it is."""

import io
import tarfile

import pytest
from a_course import NOTEBOOK
from hypothesis import given, settings
from hypothesis import strategies as st
from platforms import notebook, zipped
from tricks import entry, unpacked

from mlsys.grading.archive import CLASH
from mlsys.grading.filenames import clashing, name_fault, parts_of

quick = settings(max_examples=150, deadline=None, derandomize=True)
NAMES = {
    "../evil": "it leads outside with ../",
    "a/../../evil": "it leads outside with ../",
    "/etc/evil": "an absolute path",
    "C:/evil": "a Windows drive in its name",
    "c:evil": "a Windows drive in its name",
    "a\\..\\evil": "a backslash in its name",
    "\\\\server\\evil": "a backslash in its name",
    "a\0.ipynb": "a NUL in its name",
    "a\nb": "control characters in its name",
    "a\u202egpj.ipynb": "characters that turn its name around",
    "nul.txt": "a name that Windows reserves",
    "data/COM1": "a name that Windows reserves",
    "evil. ": "a name that ends in a dot or a space",
    "x" * 256: "a name longer than 255 bytes",
    "é" * 128: "a name longer than 255 bytes",
    "d/" * 41 + "x": "too many folders in each other",
    "./": "no name",
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name):
    assert name_fault(name) == NAMES[name]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "./"])
def test_a_zip_with_a_name(tmp_path, name):
    found = unpacked(tmp_path, zipped([(entry(name), b"evil"), (NOTEBOOK, notebook())]))
    assert [refused.reason for refused in found.refused] == [NAMES[name]]
    assert [file.parts for file in found.files] == [(NOTEBOOK,)]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "C:/evil", "a\\evil", "aux.py"])
def test_a_tar_with_a_name(tmp_path, name):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for member in (name, NOTEBOOK):
            info = tarfile.TarInfo(member)
            info.size = 4
            archive.addfile(info, io.BytesIO(b"evil"))
    found = unpacked(tmp_path, stream.getvalue(), "a.tar.gz")
    assert [refused.reason for refused in found.refused] == [NAMES.get(name) or name_fault(name)]
    assert [file.parts for file in found.files] == [(NOTEBOOK,)]


@pytest.mark.parametrize(
    "names",
    [
        ("a.ipynb", "A.ipynb"),
        ("é.txt", "e\u0301.txt"),
        ("straße", "STRASSE"),
        ("a", "a/b"),
        ("A/x", "a"),
        ("same", "same"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_are_one_on_some_system(tmp_path, names):
    assert clashing([tuple(name.split("/")) for name in names]) == {tuple(name.split("/")) for name in names}
    found = unpacked(tmp_path, zipped([(name, b"x") for name in names]))
    assert {refused.reason for refused in found.refused} == {CLASH}
    assert found.files == []


@quick
@given(st.text(max_size=300))
def test_a_name_without_a_fault_stays_inside(name):
    parts = parts_of(name)
    if not name_fault(name):
        assert parts
        assert not set(parts) & {"..", ".", ""}
        assert all(len(part.encode()) <= 255 and "\0" not in part for part in parts)
        assert not name.startswith("/")


@quick
@given(st.lists(st.text("aAé/", min_size=1, max_size=4), max_size=6))
def test_names_that_do_not_clash_can_all_be_written(names):
    parts = [parts_of(name) for name in names]
    left = [name for name in parts if name and name not in clashing(parts)]
    keys = {tuple(p.casefold() for p in name) for name in left}
    assert len(keys) == len(left)
    assert not any(key[:n] in keys for key in keys for n in range(1, len(key)))
