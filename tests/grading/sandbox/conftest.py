"""Every promise is tested in each mode: as root, and as an ordinary user."""

import pytest
from a_box import MODES


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture
def open_path(tmp_path):
    """A temporary folder that any user may enter."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.owner() == tmp_path.owner() and not folder.stat().st_mode & 1:
            folder.chmod(0o755)
    return tmp_path
