"""Containers that are hosts: each runs sshd and a Docker Engine of its own.

A lab is a set of such containers on a network of their own, reached by address over SSH
like any other machine. `python3 -m lab` on the command line, `Lab` from tests.
Standard library only: this runs before anything is installed.
"""

from lab.lab import Lab
from lab.layout import Node

__all__ = ["Lab", "Node"]
