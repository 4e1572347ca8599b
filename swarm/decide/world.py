"""What a plan is decided from: what is declared, known and observed, and whose the swarms are. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from swarm.decide.ownership import Known, Standing, is_claimed, is_ours, standing
from swarm.declare.compose import Stack
from swarm.declare.settings import Settings
from swarm.observe.model import Cluster, Observation, SwarmNode, views


@dataclass(frozen=True)
class World:
    """One run's facts, and what follows from them, computed once. `adopting`: a swarm that isn't ours may
    be the one that is meant; not so in a destroy."""

    settings: Settings
    known: Known
    observation: Observation
    stacks: Sequence[Stack] = ()
    adopting: bool = True

    @cached_property
    def swarms(self) -> tuple[Cluster, ...]:
        """Each swarm that is seen, once."""
        return tuple(views(self.observation).values())

    @cached_property
    def candidates(self) -> tuple[Cluster, ...]:
        """The swarms that are ours; where there are none, all those that are seen."""
        ours = tuple(one for one in self.swarms if is_ours(self.settings, self.known, one))
        return ours or (self.swarms if self.adopting else ())

    @cached_property
    def cluster(self) -> Cluster | None:
        """The swarm that is ours, or is taken over; None where none is seen, or it can't be told which."""
        return self.candidates[0] if len(self.candidates) == 1 else None

    @cached_property
    def ours(self) -> bool:
        """Whether that swarm is ours already."""
        return self.cluster is not None and is_ours(self.settings, self.known, self.cluster)

    @cached_property
    def claimed(self) -> bool:
        """Whether it says so itself, by our labels."""
        return self.cluster is not None and is_claimed(self.settings, self.known, self.cluster)

    @cached_property
    def entries(self) -> Mapping[str, SwarmNode]:
        """The nodes in its list, by node ID."""
        return self.cluster.entries if self.cluster else {}

    @cached_property
    def standings(self) -> Mapping[str, Standing]:
        """What each observed host's membership is to us."""
        return {
            name: standing(self.known, self.cluster, self.swarms, host)
            for name, host in self.observation.items()
        }
