"""The running swarm, looked at through the first manager that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from acceptance import tasks
from acceptance.tasks import Sight, Task
from swarm import process, ssh
from swarm.declare.labels import NAMESPACE_LABEL
from swarm.docker_api import FAILURES, Bounds, EngineError, Session
from swarm.errors import CommandError, NoAnswerError
from swarm.run import Run

ASK_SECONDS = 40  # an SSH connection to an emulated machine included
SPARE_SECONDS = 10  # until here what there doesn't end is ended

T = TypeVar("T")


class Swarm:
    """The swarm of a stack. Nodes in `stopped` aren't asked.

    Every method raises NoAnswerError.
    """

    def __init__(self, found: Run) -> None:
        self.settings = found.settings
        self.names = {node.node_id: name for name, node in found.plan.nodes.items() if node.node_id}
        self.stopped: list[str] = []

    def docker(self, command: str) -> tuple[str, str]:
        """What a docker command prints, and the name of the manager where."""
        return self._first(lambda name: (name, self._run(name, f"docker {command}")))

    def tasks(self, service: str) -> list[Task]:
        """The tasks of a service, past ones included."""
        return tasks.parse(self._get(f"/tasks?filters={_filters('service', service)}"), self.names)

    def sight(self, service: str) -> Sight:
        """A service's update and its tasks."""
        status = self._get(f"/services/{service}").get("UpdateStatus") or {}
        return Sight(status.get("State", ""), self.tasks(service))

    def services(self) -> dict[str, str]:
        """The IDs of all services, by name."""
        return {service["Spec"]["Name"]: service["ID"] for service in self._get("/services")}

    def nodes(self) -> dict[str, str]:
        """What each node is, by its name: Leader, Reachable or Ready, a worker, where it takes part; else
        Unreachable, Unknown or Down."""
        found = {}
        for node in self._get("/nodes"):
            manager, state = node.get("ManagerStatus") or {}, node["Status"]["State"]
            standing = "leader" if manager.get("Leader") else manager.get("Reachability", state)
            found[self.names.get(node["ID"], node["ID"])] = (
                standing if state == "ready" else state
            ).capitalize()
        return found

    def remains(self, stack: str) -> list[str]:
        """What there is of a stack of services: those, networks, containers on any node."""
        label = _filters("label", f"{NAMESPACE_LABEL}={stack}")
        services = [one["Spec"]["Name"] for one in self._get(f"/services?filters={label}")]
        networks = [one["Name"] for one in self._get(f"/networks?filters={label}")]
        containers = [
            f"a container on {name}"
            for name in self.names.values()
            for _ in self._ask(name, f"/containers/json?all=true&filters={label}")
        ]
        return [*services, *networks, *containers]

    def _get(self, path: str) -> Any:
        return self._first(lambda name: self._ask(name, path))

    def _first(self, ask: Callable[[str], T]) -> T:
        problems = []
        for node in self.settings.nodes:
            if node.manager and not node.lost and node.name not in self.stopped:
                try:
                    return ask(node.name)
                except NoAnswerError as error:
                    problems.append(str(error))
        raise NoAnswerError("; ".join(problems))

    def _run(self, name: str, command: str) -> str:
        try:
            return process.output(self._ssh(name, command), ASK_SECONDS + SPARE_SECONDS)
        except CommandError as error:
            raise NoAnswerError(f"{name}: {error}") from None

    def _ask(self, name: str, path: str) -> Any:
        """What the Docker Engine's API of a node gives for a path."""
        bounds = Bounds(ASK_SECONDS, ASK_SECONDS)
        with Session(name, ssh.config_file(self.settings.stack), bounds, shared=True) as session:
            try:
                session.begin()
                return session.engine().get(path)
            except EngineError as error:
                raise NoAnswerError(f"{name}: {error}") from None
            except FAILURES:
                raise NoAnswerError(f"{name}: {session.reason}") from None

    def _ssh(self, name: str, command: str) -> list[str]:
        # While a swarm has no leader, its managers leave requests unanswered.
        bounded = f"timeout {ASK_SECONDS} {command}"
        # Requests share a connection: on an emulated machine it takes longer than they do.
        return ssh.command(ssh.config_file(self.settings.stack), name, bounded, shared=True)


def _filters(key: str, value: str) -> str:
    """A filter of the Docker Engine's API."""
    return quote(f'{{"{key}":["{value}"]}}')
