"""The pages that commands write, in docs/reports: complete ones, and figures in handwritten prose."""

from __future__ import annotations

from pathlib import Path

REPORTS = Path(__file__).parents[1] / "docs" / "reports"
PAGE = REPORTS / "benchmarks.md"  # where most of them are
END = "<!-- end of figures -->"


def fill(page: str, command: str, figures: str) -> str:
    """The page's text with other figures in the section that a command writes. ValueError: it has none."""
    begin = f"<!-- figures: written by {command} -->"
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(END)
    if not (found and ended):
        raise ValueError(f"no section from `{begin}` to `{END}`: put these two lines back")
    return f"{before}{begin}\n{figures}\n{END}{after}"


def write(command: str, figures: str, path: Path = PAGE) -> None:
    """Writes a command's figures into a page."""
    written = fill(path.read_text(encoding="utf-8"), command, figures)
    path.write_text(written, encoding="utf-8")
