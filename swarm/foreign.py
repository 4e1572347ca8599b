"""What others say, made harmless before it is shown: hosts, engines, registries, services.

Terminals obey escape sequences, and CI systems obey lines such as `::error::` or `##vso[...]`: who can write
into a log could hide what an up says, or have the pipeline do something.
"""

from __future__ import annotations

import re

# What colors and moves the cursor, and what sets a terminal's title or a link.
SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
# GitHub's runner takes commands after blanks, too; `##` begins one anywhere in a line of it and of Azure's.
COMMAND = re.compile(r"(?<=#)(?=#)|(?<=^:)(?=:)|(?<=[ \t]:)(?=:)", re.M)


def harmless(text: str, most: int | None = None) -> str:
    """The text in its lines, without escape sequences; other characters that don't show are question marks,
    and nothing in it is a command to a CI system. Cut off after `most` characters."""
    plain = SEQUENCE.sub("", text).replace("\r\n", "\n")
    shown = "".join(one if one.isprintable() or one in "\n\t" else "?" for one in plain)
    cut = shown if most is None or len(shown) <= most else f"{shown[:most]}…"
    return COMMAND.sub(" ", cut)
