"""Every promise is tested in each mode: as root, and as an ordinary user."""

import tempfile
from pathlib import Path

import pytest
from a_box import MODES


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def open_path():
    """A temporary folder that any user may enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
