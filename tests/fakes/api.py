"""The Engine's API as a table of requests: method, path, and what answers it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fakes import membership, shapes
from tests.fakes.model import Engine, RefusedError, Swarm, World, moment, word


@dataclass
class Request:
    """A request as it reached an engine, and its answer's status and bytes: None and 0 without one."""

    host: str
    method: str
    path: str  # without the API's version
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    status: int | None = None
    size: int = 0

    @property
    def name(self) -> str:
        """`POST /swarm/join`."""
        return f"{self.method} {self.path}"

    @property
    def filters(self) -> dict[str, set[str]]:
        """By name; the API takes each one's values as a list, or as the keys of a mapping."""
        return {key: set(values) for key, values in json.loads(self.query.get("filters") or "{}").items()}

    def asks(self, flag: str) -> bool:
        return self.query.get(flag) in ("1", "true", "True")


@dataclass(frozen=True)
class Call:
    """A request at the engine that answers it."""

    world: World
    engine: Engine
    request: Request
    reference: str = ""  # an ID or a name in the path

    @property
    def seen(self) -> World:
        """What the engine tells of: the world, or a stale view of it."""
        return self.engine.view or self.world

    @property
    def read(self) -> Swarm:
        """The swarm as its manager shows it."""
        return self.seen.led(self.seen.engines[self.engine.name])

    @property
    def swarm(self) -> Swarm:
        """The swarm itself, to be changed."""
        return self.world.led(self.engine)


Answer = tuple[int, Any]
ROUTES: list[tuple[str, re.Pattern[str], Callable[[Call], Answer]]] = []


def route(method: str, path: str) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
    """Has a function answer this request; `*` in the path stands for an ID or a name."""
    pattern = re.compile(re.escape(path).replace(r"\*", "([^/]+)"))

    def register(function: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
        ROUTES.append((method, pattern, function))
        return function

    return register


def answer(world: World, engine: Engine, request: Request) -> Answer:
    """Status and JSON for a request."""
    for method, pattern, function in ROUTES:
        if method == request.method and (match := pattern.fullmatch(request.path)):
            try:
                return function(Call(world, engine, request, *match.groups()))
            except RefusedError as refused:
                return refused.status, {"message": refused.message}
    return 404, {"message": "page not found"}


@route("GET", "/version")
def _version(_: Call) -> Answer:
    return 200, {"Version": shapes.VERSION, "ApiVersion": shapes.API_VERSION, "MinAPIVersion": "1.24"}


@route("GET", "/info")
def _info(call: Call) -> Answer:
    return 200, shapes.info(call.seen, call.seen.engines[call.engine.name])


@route("GET", "/swarm")
def _swarm(call: Call) -> Answer:
    return 200, shapes.cluster(call.read) | {"JoinTokens": call.swarm.tokens}


@route("POST", "/swarm/init")
def _init(call: Call) -> Answer:
    return 200, membership.init(call.world, call.engine, call.request.body)


@route("POST", "/swarm/join")
def _join(call: Call) -> Answer:
    membership.join(call.world, call.engine, call.request.body)
    return 200, None


@route("POST", "/swarm/leave")
def _leave(call: Call) -> Answer:
    membership.leave(call.world, call.engine, force=call.request.asks("force"))
    return 200, None


@route("POST", "/swarm/update")
def _update(call: Call) -> Answer:
    membership.update(call.swarm, call.request.query, call.request.body)
    return 200, None


@route("GET", "/nodes")
def _nodes(call: Call) -> Answer:
    swarm = call.read
    return 200, [shapes.node(call.seen, swarm, one) for one in swarm.nodes.values()]


@route("GET", "/nodes/*")
def _node(call: Call) -> Answer:
    swarm = call.read
    return 200, shapes.node(call.seen, swarm, swarm.node(call.reference))


@route("POST", "/nodes/*/update")
def _update_node(call: Call) -> Answer:
    version = call.request.query.get("version", "")
    membership.update_node(call.world, call.swarm, call.reference, version, call.request.body)
    return 200, None


@route("DELETE", "/nodes/*")
def _remove_node(call: Call) -> Answer:
    membership.remove_node(call.world, call.swarm, call.reference, force=call.request.asks("force"))
    return 200, None


@route("GET", "/tasks")
def _tasks(call: Call) -> Answer:
    swarm, filters = call.read, call.request.filters
    services = {
        shapes.found("services", swarm.objects["services"], one)["ID"] for one in filters.get("service", ())
    }
    nodes = {swarm.node(one).id for one in filters.get("node", ())}
    return 200, [
        task
        for task in shapes.tasks(call.seen, swarm)
        if (not services or task["ServiceID"] in services)
        and (not nodes or task.get("NodeID") in nodes)
        and task["DesiredState"] in filters.get("desired-state", ("running",))
    ]


@route("GET", "/containers/json")
def _containers(_: Call) -> Answer:
    return 200, []


@route("GET", "/networks")
def _networks(call: Call) -> Answer:
    """A node has those of its swarm; nothing else is played."""
    swarm = call.seen.swarm_of(call.seen.engines[call.engine.name])
    there = swarm.objects["networks"] if swarm and call.engine.state == "active" else {}
    return 200, matching(there.values(), call.request.filters)


@route("GET", "/services")
def _services(call: Call) -> Answer:
    there = call.read.objects["services"]
    listed = matching(there.values(), call.request.filters)
    return 200, [shapes.service(call.seen, call.read, one) for one in listed]


def matching(objects: Iterable[dict[str, Any]], filters: Mapping[str, set[str]]) -> list[dict[str, Any]]:
    """Those that each filter lets through, by what the project and Docker's client filter for."""

    def passes(one: dict[str, Any]) -> bool:
        labels = (one.get("Spec") or one).get("Labels") or {}
        written = {*labels, *(f"{key}={value}" for key, value in labels.items())}
        have = {
            "name": {shapes.name_of(one)},
            "id": {shapes.id_of(one)},
            "label": written,
            "scope": {one.get("Scope")},
            "driver": {one.get("Driver")},
        }
        return all(have[key] & values for key, values in filters.items())

    return [one for one in objects if passes(one)]


def _objects(kind: str) -> None:
    """Configs, secrets, services and networks are stored as they are given."""

    def create(call: Call) -> Answer:
        body, there = call.request.body, call.swarm.objects[kind]
        name = body["Name"]
        if any(shapes.name_of(one) == name for one in there.values()):
            raise RefusedError(
                409, f"rpc error: code = AlreadyExists desc = {kind[:-1]} {name} already exists"
            )
        made = stored(kind, body, call.swarm.change())
        there[shapes.id_of(made)] = made
        return 201, {"Id" if kind == "networks" else "ID": shapes.id_of(made)}

    def inspect(call: Call) -> Answer:
        return 200, shapes.found(kind, call.read.objects[kind], call.reference)

    def update(call: Call) -> Answer:
        one = shapes.found(kind, call.swarm.objects[kind], call.reference)
        if call.request.query.get("version") != str(one["Version"]["Index"]):
            raise RefusedError(500, membership.SEQUENCE)
        one |= {"Spec": call.request.body, "Version": {"Index": call.swarm.change()}}
        return 200, {}

    def remove(call: Call) -> Answer:
        there = call.swarm.objects[kind]
        one = shapes.found(kind, there, call.reference)
        del there[shapes.id_of(one)]
        return 200 if kind == "services" else 204, None

    route("POST", f"/{kind}/create")(create)
    route("GET", f"/{kind}/*")(inspect)
    route("POST", f"/{kind}/*/update")(update)
    route("DELETE", f"/{kind}/*")(remove)
    if kind in ("configs", "secrets"):
        route("GET", f"/{kind}")(
            lambda call: (200, matching(call.read.objects[kind].values(), call.request.filters))
        )


def stored(kind: str, body: dict[str, Any], index: int) -> dict[str, Any]:
    """An object as the API tells it; a secret's content never."""
    if kind == "networks":
        return {"Id": word(), "Scope": "swarm", **body}
    spec = {key: value for key, value in body.items() if kind != "secrets" or key != "Data"}
    times = {"CreatedAt": moment(), "UpdatedAt": moment()}
    return {"ID": word(), "Version": {"Index": index}, **times, "Spec": spec}


for _kind in ("configs", "secrets", "services", "networks"):
    _objects(_kind)
