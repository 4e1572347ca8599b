"""Gives the project its tools: Pulumi, its Python language host, its resource plugins."""

import sys

# Said before a module is imported that an older Python can't even read.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(
        f"toolchain: this is Python {sys.version.split()[0]}; the project needs 3.11 or newer. "
        "Install it, and run `python3.11 -m toolchain`."
    )
