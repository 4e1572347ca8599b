"""Compose files, read into a small typed model; components/ turns it into resources."""

from swarm.declare.compose.model import (
    Attachment,
    File,
    Mount,
    Network,
    Port,
    Reference,
    Service,
    Stack,
    Update,
    Volume,
)
from swarm.declare.compose.reading import read

__all__ = [
    "Attachment",
    "File",
    "Mount",
    "Network",
    "Port",
    "Reference",
    "Service",
    "Stack",
    "Update",
    "Volume",
    "read",
]
