"""The session: what is typed, act by act, and what must come of it."""

from __future__ import annotations

import asyncio
import itertools
import urllib.request
from collections.abc import Mapping
from http.client import HTTPResponse
from typing import cast

from acceptance import election, tasks
from acceptance.driver import Driver
from swarm.declare.settings import Node
from swarm.observe import probe
from swarm.observe.settling import under_way

STACK = "play"  # of services: those that are there, the demo's or a user's own, are left alone
REDIS, WEB = f"{STACK}_redis", f"{STACK}_web"
OLD, NEW = "7.0.15", "8.0.2"
DELAY_SECONDS = 10
ANSWER_SECONDS = 10  # that a node gets to give a page


def give(driver: Driver, *, failures: bool) -> None:
    """The complete play, or without the acts in which hosts fail. PlayError: a check fails, which ends it."""
    create(driver)
    scale(driver)
    roll(driver)
    remove(driver)
    if failures:
        lose_the_leader(driver)
        lose_workers(driver)
    publish(driver)


def create(driver: Driver) -> None:
    """One redis."""
    driver.transcript.act(f"Create redis: one task, and {DELAY_SECONDS} s between two tasks of an update")
    driver.open()
    driver.set("name", STACK)
    declare_redis(driver, OLD, 1)
    driver.up()
    driver.docker("service ls")
    driver.docker(f"service ps {REDIS}")
    driver.docker(f"service inspect --pretty {REDIS}")
    check_running(driver, 1)


def declare_redis(driver: Driver, version: str, replicas: int) -> None:
    """The configuration of a redis."""
    driver.set("compose", "stacks/play/redis.yaml")
    driver.set("variables.REDIS_VERSION", version)
    driver.set("variables.REDIS_REPLICAS", replicas)


def check_running(driver: Driver, replicas: int) -> dict[str, int]:
    """Checks how many tasks of redis run; gives how many on which node."""
    found = tasks.by_node(driver.swarm.tasks(REDIS))
    what = "1 task runs" if replicas == 1 else f"{replicas} tasks run"
    driver.check(f"{what}: {tasks.counted(found)}", sum(found.values()) == replicas, f"{replicas} are wanted")
    return found


def check_spread(driver: Driver, found: dict[str, int]) -> None:
    """Checks that all nodes which take tasks have their share, and no other has any."""
    takers = [node.name for node in driver.found.settings.nodes if node.availability == "active"]
    managers = [node.name for node in driver.found.settings.nodes if node.manager and node.name in takers]
    where = "the nodes that aren't drained" if managers else "the workers"
    driver.check(f"spread evenly, and over {where} only", tasks.even(found, takers), tasks.counted(found))


def scale(driver: Driver) -> None:
    """Up, down, up."""
    driver.transcript.act("Scale to 11, down to 1, up again")
    for replicas in (11, 1, 3):
        driver.set("variables.REDIS_REPLICAS", replicas)
        driver.up()
        driver.docker(f"service ps --filter desired-state=running {REDIS}")
        found = check_running(driver, replicas)
        if replicas > 1:
            check_spread(driver, found)


def roll(driver: Driver) -> None:
    """The next version, task by task."""
    driver.transcript.act(f"Roll to the next version: redis:{OLD} to redis:{NEW}")
    driver.transcript.say(
        "The service is watched while `pulumi up` runs; each change is shown as it is seen."
    )
    replicas = len(tasks.running(driver.swarm.tasks(REDIS)))
    driver.set("variables.REDIS_VERSION", NEW)
    with driver.watched(REDIS) as seen:
        driver.up()
    end = driver.swarm.sight(REDIS)
    driver.docker(f"service ps {REDIS}")
    driver.docker(f"service inspect --pretty {REDIS}")
    states = tasks.updates([*seen, end])
    driver.check(
        "the update was seen `updating`, then `completed`", states == ["updating", "completed"], states
    )
    image, fewest = f"redis:{NEW}", tasks.fewest(seen)
    driver.check(f"one at a time: never fewer than {replicas - 1} tasks ran", fewest >= replicas - 1, fewest)
    gaps = list(tasks.gaps(end.tasks, image))
    driver.check(
        f"{DELAY_SECONDS} s or more apart: {', '.join(f'{gap:.1f} s' for gap in gaps)}",
        len(gaps) == replicas - 1 and min(gaps) >= DELAY_SECONDS,
        f"{len(gaps) + 1} tasks were created in {replicas} places",
    )
    images = {task.image for task in tasks.running(end.tasks)}
    driver.check(f"all tasks run {image}", images == {image}, images)


def remove(driver: Driver) -> None:
    """Nothing declared, nothing left."""
    driver.transcript.act("Remove it")
    driver.unset()
    driver.up()
    driver.docker("service ls")
    check_removed(driver)


def check_removed(driver: Driver) -> None:
    """Checks that nothing of the play is left; containers may take some seconds to end."""
    driver.until("nothing left", lambda: not driver.swarm.remains(STACK))
    driver.transcript.passed("nothing is left of it: no service, no network, no container on any node")


def lose_the_leader(driver: Driver) -> None:
    """Another leads."""
    driver.transcript.act("The leader's host fails")
    driver.transcript.say("First a redis of three tasks, which are to outlive what follows.")
    driver.set("name", STACK)
    declare_redis(driver, NEW, 3)
    driver.up()
    managers = [node for node in driver.found.settings.nodes if node.manager and not node.lost]
    if not can_stop(
        driver, len(managers) >= 3, "without a majority of three managers there is no new leader"
    ):
        return
    before = {task.id for task in tasks.running(driver.swarm.tasks(REDIS))}
    old = driver.until("a Leader", lambda: leader(driver))
    driver.docker("node ls")
    new, _ = asyncio.run(election.elected(driver, old, lambda: driver.stop([old])))
    wait_for_nodes(driver)
    driver.transcript.passed(f"{new} leads in place of {old}")
    driver.transcript.say("A preview works as before, through another manager, and warns of the silent host:")
    driver.preview()
    driver.docker(f"service ps {REDIS}")
    after = {task.id for task in tasks.running(driver.swarm.tasks(REDIS))}
    driver.check("redis was never stopped: its tasks are the same", after == before, f"{after}, not {before}")
    driver.start()
    wait_for_nodes(driver)


def can_stop(driver: Driver, enough: bool, otherwise: str) -> bool:
    """Whether hosts may be stopped; says why not."""
    why = "" if enough else otherwise
    if not driver.ground:
        why = (
            "these hosts are neither a lab's nor vagrant's, and the play has no way to switch them off and on"
        )
    if why:
        driver.transcript.say(f"Left out here: {why}.")
    return not why


def leader(driver: Driver) -> str | None:
    """The name of the node that leads."""
    return next((name for name, is_ in driver.swarm.nodes().items() if is_ == "Leader"), None)


def wait_for_nodes(driver: Driver) -> None:
    """Checks that the managers see who takes part: all nodes but those that are stopped."""

    def told() -> bool:
        nodes = driver.swarm.nodes()
        missing = {name for name, is_ in nodes.items() if is_ not in ("Leader", "Reachable", "Ready")}
        return missing == set(driver.swarm.stopped)

    what = f"all nodes take part{', but for those that were stopped' if driver.swarm.stopped else ''}"
    driver.until(what, told)
    driver.docker("node ls")
    driver.transcript.passed(what)


def wait_for_tasks(driver: Driver) -> None:
    """Waits until nothing changes by itself any more, and all tasks of the declared services run: a preview
    waits for them only briefly, and a host that comes back starts them all at once."""
    names = [*(one.name for one in driver.found.stacks), STACK]

    def steady() -> bool:
        seen = probe.observe(driver.found.settings, names, lambda _: None, patience=0)
        return not any(under_way(seen, names))

    driver.until("all tasks running", steady)


def lose_workers(driver: Driver) -> None:
    """What ran there runs on the last."""
    driver.transcript.act("All workers but one fail")
    active = [node for node in driver.found.settings.nodes if node.availability == "active" and not node.lost]
    workers = [node.name for node in active if not node.manager]
    if not can_stop(driver, len(workers) >= 2, "there is one worker"):
        return
    failing = workers[:-1]
    rest = {node.name for node in active if node.name not in failing}
    driver.stop(failing)
    driver.transcript.say(
        "The managers miss their heartbeats, and start the tasks anew on the node that is left:"
    )

    def moved() -> dict[str, int] | None:
        found = tasks.by_node(driver.swarm.tasks(REDIS))
        return found if sum(found.values()) == 3 and set(found) <= rest else None

    found = driver.until(f"3 tasks of redis on {', '.join(rest)}", moved)
    wait_for_nodes(driver)
    driver.docker(f"service ps --filter desired-state=running {REDIS}")
    driver.transcript.passed(f"all tasks run: {tasks.counted(found)}")
    driver.start()
    wait_for_nodes(driver)
    wait_for_tasks(driver)
    driver.preview()
    driver.docker(f"service ps --filter desired-state=running {REDIS}")
    same = tasks.by_node(driver.swarm.tasks(REDIS))
    driver.check(
        "no task has moved back: a swarm doesn't do that by itself", same == found, tasks.counted(same)
    )
    driver.transcript.say(
        "New tasks go where there are fewest, so that scaling makes use of all nodes again:"
    )
    driver.set("variables.REDIS_REPLICAS", 11)
    driver.up()
    driver.docker(f"service ps --filter desired-state=running {REDIS}")
    # Not evenly: the managers may for a while count tasks that a node had been given when it failed.
    found = check_running(driver, 11)
    driver.check("every node that takes tasks runs some", set(found) == {node.name for node in active}, found)


def publish(driver: Driver) -> None:
    """A page, asked on a node that runs a task of it and on one that doesn't."""
    port, mesh = free_port(driver), all(host.ip_vs for host in driver.found.observation.values())
    driver.transcript.act(f"nginx, two tasks, published on {port}")
    if port != 8080:
        driver.transcript.say(f"Services that are there publish 8080 already: the play takes {port}.")
    if not mesh:
        driver.transcript.say(
            "The kernel of these hosts has no IP_VS, so that the routing mesh would not answer: the port is "
            "published in host mode, on the nodes that run a task."
        )
    driver.set("name", STACK)
    driver.set("compose", "stacks/play/web.yaml")
    driver.set("variables.WEB_PORT", port)
    driver.set("variables.WEB_MODE", "ingress" if mesh else "host")
    driver.up()
    driver.docker(f"service ps {WEB}")
    busy = tasks.by_node(driver.swarm.tasks(WEB))
    driver.check(f"2 tasks run: {tasks.counted(busy)}", sum(busy.values()) == 2, "2 are wanted")
    nodes = [node for node in reversed(driver.found.settings.nodes) if not node.lost]
    inside = next(node for node in nodes if node.name in busy)
    outside = next((node for node in nodes if node.name not in busy), None)
    driver.transcript.say("Asked from here:")
    driver.until(f"an answer of {inside.name}", lambda: ask(inside, port)[0])
    check_answer(driver, inside, port, "which runs a task", answers=True)
    if outside:
        if mesh:
            driver.until(f"an answer of {outside.name}", lambda: ask(outside, port)[0])
        check_answer(driver, outside, port, "which runs none", answers=mesh)


def restore(driver: Driver, services: Mapping[str, str], *, broken: bool) -> None:
    """Hosts, services and configuration as they were; `broken`: a command may have been cut off."""
    driver.transcript.act("All as it was")
    driver.start()
    driver.close()
    if broken:
        driver.run("python", "-m", "operations", "recover", driver.found.settings.stack)
    driver.up()
    check_removed(driver)
    driver.docker("service ls")
    now = driver.swarm.services()
    driver.check("the services are those that were there before", now == services, f"{now}, not {services}")
    driver.preview()


def free_port(driver: Driver) -> int:
    """8080, or the next that no declared service publishes."""
    services = [service for stack in driver.found.stacks for service in stack.services]
    taken = {port.published for service in services for port in service.ports}
    return next(port for port in itertools.count(8080) if port not in taken)


def check_answer(driver: Driver, node: Node, port: int, which: str, *, answers: bool) -> None:
    """Checks that a node answers on the port, or that it doesn't."""
    answered, words = ask(node, port)
    driver.transcript.output(f"http://{node.host}:{port}/: {words}")
    verdict = "answers" if answers else "gives no answer, as it should in host mode"
    driver.check(f"{node.name}, {which}, {verdict}", answered == answers, words)


def ask(node: Node, port: int) -> tuple[bool, str]:
    """Whether a page is at a node's port, asked from here; and what it says."""
    try:
        with page(node, port) as answer:
            return True, f"{answer.status} {answer.reason}, {answer.headers['Server']}"
    except OSError as error:
        return False, str(getattr(error, "reason", error))


def page(node: Node, port: int) -> HTTPResponse:
    """The page at a node's port, asked from here, without a proxy; to be closed. OSError: there is none."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return cast(HTTPResponse, direct.open(f"http://{node.host}:{port}/", timeout=ANSWER_SECONDS))
