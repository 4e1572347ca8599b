"""The tasks of a service as the managers list them, and what they show of an update. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class Task:
    """A task, past ones included; `created` is in seconds since the epoch, by the managers' clock."""

    id: str
    node: str  # its name; empty while the task has none
    image: str  # without the digest
    state: str
    desired: str
    created: float

    @property
    def runs(self) -> bool:
        """Whether it runs and is meant to. On a node that is down it still counts as running, but isn't
        meant to."""
        return self.state == self.desired == "running"


def parse(listed: Iterable[Mapping[str, Any]], names: Mapping[str, str]) -> list[Task]:
    """The tasks in what the Docker Engine's API gives for /tasks; `names` are the nodes' by ID."""
    return [
        Task(
            id=one["ID"],
            node=names.get(one.get("NodeID", ""), ""),
            image=one["Spec"]["ContainerSpec"]["Image"].partition("@")[0],
            state=one["Status"]["State"],
            desired=one["DesiredState"],
            created=datetime.fromisoformat(one["CreatedAt"]).timestamp(),
        )
        for one in listed
    ]


def running(tasks: Iterable[Task]) -> list[Task]:
    """Those that run and are meant to."""
    return [task for task in tasks if task.runs]


def by_node(tasks: Iterable[Task]) -> dict[str, int]:
    """How many of them run on each node that runs any, by the node's name."""
    return dict(sorted(Counter(task.node for task in running(tasks)).items()))


def counted(nodes: Mapping[str, int]) -> str:
    """The numbers of tasks in words."""
    return ", ".join(f"{number} on {name}" for name, number in nodes.items()) or "none runs"


def even(nodes: Mapping[str, int], wanted: Collection[str]) -> bool:
    """Whether exactly the wanted nodes run tasks, none of them two more than another."""
    return set(nodes) == set(wanted) and max(nodes.values()) - min(nodes.values()) <= 1


@dataclass(frozen=True)
class Sight:
    """A service at one moment: the state of its update, and its tasks."""

    update: str  # empty: it has none
    tasks: Sequence[Task]

    def __str__(self) -> str:
        """How many tasks run of which image, in words."""
        images = Counter(task.image for task in running(self.tasks))
        return ", ".join(
            filter(None, [self.update, *(f"{number} of {image}" for image, number in sorted(images.items()))])
        )


def updates(sights: Iterable[Sight]) -> list[str]:
    """The states of the update that were seen, one after the other."""
    states: list[str] = []
    for sight in sights:
        if sight.update and states[-1:] != [sight.update]:
            states.append(sight.update)
    return states


def fewest(sights: Iterable[Sight]) -> int:
    """The fewest tasks that were seen to run."""
    return min(len(running(sight.tasks)) for sight in sights)


def gaps(tasks: Iterable[Task], image: str) -> Iterator[float]:
    """The seconds between one task of an image and the next, by when they were created."""
    moments = sorted(task.created for task in tasks if task.image == image)
    return (later - earlier for earlier, later in pairwise(moments))
