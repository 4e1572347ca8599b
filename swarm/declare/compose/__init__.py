"""Compose files, read into a small typed model; components/ turns it into resources."""

from swarm.declare.compose.attachments import Attachment, Reference
from swarm.declare.compose.contents import File
from swarm.declare.compose.model import Logging, Reservations, Resources, Service, Stack
from swarm.declare.compose.mounts import Mount
from swarm.declare.compose.networks import Network
from swarm.declare.compose.ports import Port
from swarm.declare.compose.reading import read
from swarm.declare.compose.rollout import Healthcheck, Restart, Update
from swarm.declare.compose.volumes import Volume

__all__ = [
    "Attachment",
    "File",
    "Healthcheck",
    "Logging",
    "Mount",
    "Network",
    "Port",
    "Reference",
    "Reservations",
    "Resources",
    "Restart",
    "Service",
    "Stack",
    "Update",
    "Volume",
    "read",
]
