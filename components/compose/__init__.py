"""Compose files, read into a small typed model; services.py and stack.py turn it into resources."""

from components.compose.model import (
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
from components.compose.reading import read

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
