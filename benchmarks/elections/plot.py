"""The plot of `make bench-election`: every run a dot, medians marked, one panel for each fault."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from benchmarks.elections.rows import LONE_SECONDS, Row, groups


@dataclass(frozen=True)
class Series:
    """What is shown of the rows: a field of theirs, and where beside its number of managers."""

    name: str
    field: str
    offset: float
    colour: str


# Colours that are told apart in grey too, and by those who see no red.
SERIES = (
    Series("a run, until there is a new Leader", "leader", -0.18, "#1f6fb4"),
    Series("a run, until a write is accepted", "write", 0.18, "#d1600a"),
)
SPREAD = 0.24  # over which the dots of a series are laid out


def plot(rows: Sequence[Row]) -> str:
    """An SVG. The dots of a series are a group with the ID `FAULT-MANAGERS-leader` or `-write`, blanks as
    dashes."""
    found = groups(rows)
    sizes = sorted({managers for managers, _ in found})
    faults = list(dict.fromkeys(fault for _, fault in found))
    # The same rows give the same bytes: identifiers from a fixed salt, no date. Text stays text.
    with mpl.rc_context({"svg.hashsalt": "elections", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(3.2 * len(faults), 4.2), layout="constrained")
        panels = figure.subplots(1, len(faults), sharey=True, squeeze=False)[0]
        for fault, axes in zip(faults, panels, strict=True):
            axes.set_title(f"Leader {fault}")
            axes.set_xticks(range(len(sizes)), [str(size) for size in sizes])
            axes.set_xlim(-0.6, len(sizes) - 0.4)
            axes.grid(axis="y", color="#dddddd", linewidth=0.6)
            axes.spines[["top", "right"]].set_visible(False)
            for at, size in enumerate(sizes):
                draw(axes, at, found.get((size, fault), []))
        panels[0].set_ylabel("seconds after the fault")
        highest = max((row.write or row.leader or 0 for row in rows), default=0)
        panels[0].set_ylim(0, highest + 1)
        panels[0].yaxis.set_major_locator(MultipleLocator(5))
        figure.supxlabel("managers", fontsize="medium")
        figure.legend(handles=legend(), loc="outside upper center", ncols=3, frameon=False)
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def draw(axes: Axes, at: int, group: Sequence[Row]) -> None:
    """Both series of a number of managers; where nothing was seen, that is said."""
    if group and group[0].lone:
        none = f"none within {LONE_SECONDS} s"
        # A white ground keeps the grid out of the words.
        words = axes.text(at, 0.5, none, rotation=90, color="#555555", backgroundcolor="white")
        words.set(transform=axes.get_xaxis_transform(), ha="center", va="center")
        return
    for series in SERIES:
        values = [seconds for row in group if (seconds := getattr(row, series.field)) is not None]
        if not values:
            continue
        middle = at + series.offset
        # Side by side: runs that took the same time would hide each other.
        across = [middle + SPREAD * ((n + 0.5) / len(values) - 0.5) for n in range(len(values))]
        dots = axes.scatter(
            across, values, s=14, color=series.colour, alpha=0.65, linewidths=0, label=series.name
        )
        dots.set_gid(f"{group[0].fault}-{group[0].managers}-{series.field}".replace(" ", "-"))
        ends = (middle - SPREAD * 0.75, middle + SPREAD * 0.75)
        axes.plot(ends, [median(values)] * 2, color=series.colour, linewidth=2, solid_capstyle="butt")


def legend() -> list[Line2D]:
    """What the marks mean."""
    dots = [
        Line2D([], [], color=s.colour, marker="o", markersize=4, linestyle="", label=s.name) for s in SERIES
    ]
    return [*dots, Line2D([], [], color="#555555", linewidth=2, label="median")]
