"""The figures that `make bench-kv` writes into docs/reports/kv.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.kv.measuring import MANY, ONE
from benchmarks.kv.stores import (
    OPERATIONS,
    PING,
    READ_CONFIG,
    READ_ETCD,
    READ_ETCD_OWN,
    READ_REDIS,
    VERSION,
    WRITE_CONFIG,
    WRITE_ETCD,
    WRITE_LABEL,
    WRITE_REDIS_TWICE,
    Operation,
)

Rates = Mapping[tuple[Operation, int], Sequence[float]]


@dataclass(frozen=True)
class Ratio:
    """Two rates of one round: how many times the second the first is."""

    one: tuple[Operation, int]
    other: tuple[Operation, int]

    def rounds(self, rates: Rates) -> list[float]:
        """The ratio of each round."""
        return [one / other for one, other in zip(rates[self.one], rates[self.other], strict=True)]

    def __str__(self) -> str:
        return f"{_called(*self.one)}, compared with {_called(*self.other)}"


RATIOS = (
    Ratio((PING, ONE), (VERSION, ONE)),
    Ratio((READ_CONFIG, ONE), (READ_ETCD, ONE)),
    Ratio((READ_CONFIG, ONE), (READ_ETCD_OWN, ONE)),
    Ratio((READ_CONFIG, ONE), (READ_REDIS, ONE)),
    Ratio((WRITE_CONFIG, ONE), (WRITE_ETCD, ONE)),
    Ratio((WRITE_LABEL, ONE), (WRITE_ETCD, ONE)),
    Ratio((WRITE_CONFIG, ONE), (WRITE_REDIS_TWICE, ONE)),
    Ratio((WRITE_CONFIG, MANY), (WRITE_ETCD, MANY)),
    Ratio((WRITE_CONFIG, MANY), (WRITE_CONFIG, ONE)),
    Ratio((WRITE_ETCD, MANY), (WRITE_ETCD, ONE)),
)


def _called(operation: Operation, clients: int) -> str:
    return f"{operation} ({clients})"


def figures(rates: Rates, syncs: Sequence[float], where: str) -> Iterator[str]:
    """The lines of the page's figures. `rates`: requests a second; `syncs`: writes a second that reach the
    disk; `where`: on what it was measured."""
    rounds = len(syncs)
    yield f"{rounds} rounds, {where}. Requests a second: median (least to most)."
    yield from ("", f"| store | request | {ONE} client | {MANY} clients |", "| --- | --- | ---: | ---: |")
    for operation in OPERATIONS:
        cells = (cell(rates[operation, clients]) for clients in (ONE, MANY) if (operation, clients) in rates)
        one, many = (*cells, "")[:2]
        yield f"| {operation.store.name} | {operation.words} | {one} | {many} |"
    yield f"| the disk | write 512 bytes, synchronously | {cell(syncs)} | |"
    yield ""
    yield from ("| times (number of clients) | median | least | most |", "| --- | ---: | ---: | ---: |")
    for ratio in RATIOS:
        values = ratio.rounds(rates)
        numbers = " | ".join(f"{one:.2f}" for one in (median(values), min(values), max(values)))
        yield f"| {ratio} | {numbers} |"


def cell(values: Sequence[float]) -> str:
    """Rates in short: median, least and most."""
    return f"{median(values):.0f} ({min(values):.0f} to {max(values):.0f})"
