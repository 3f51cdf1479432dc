"""A Sphinx extension: leave thebe's scripts out of the pages, which Jupyter Book adds even where thebe is off.

They name an address on the network, twice a page, which is an error in the browser's console.
"""

from __future__ import annotations

from typing import Any


def without_thebe(app: Any, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Keep the scripts of a page that are not thebe's."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', '')}".lower()
    ]


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("html-page-context", without_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
