"""Durations, sizes and ratios in Compose files, each read as Docker reads it, or refused with ValueError."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from swarm.declare.compose.values import scalar
from swarm.declare.rules import must_be

LEAST_CPU = 10**6  # billionths; less isn't taken, by swarmkit's checks of a new service, as less memory
LEAST_MEMORY = 4 << 20
DURATION = "a duration, such as 10s or 1m30s"
NANOSECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
BYTES = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


def nanoseconds(raw: Any) -> int:
    """A duration as Go reads it (https://pkg.go.dev/time#ParseDuration); ValueError: it is none."""
    written = str(raw)
    parts = re.findall(r"(\d+(?:\.\d*)?)(h|ms|us|µs|ns|m|s)", written)
    if not parts or "".join(number + unit for number, unit in parts) != written:
        raise ValueError
    return _int64(sum(Fraction(number) * NANOSECONDS[unit] for number, unit in parts))


@must_be(DURATION)
def duration(raw: Any) -> str:
    """A duration as the Docker provider gives it back: 90s is 1m30s, 3600s is 1h. ValueError: it is none.

    The form is that of https://pkg.go.dev/time#Duration.String, of which the provider cuts zeros off the
    end.
    """
    total = nanoseconds(raw)
    if 0 < total < NANOSECONDS["s"]:
        unit = next(unit for unit in ("ms", "us", "ns") if total >= NANOSECONDS[unit])
        return f"{_decimal(total, NANOSECONDS[unit])}{unit.replace('us', 'µs')}"
    minutes, rest = divmod(total, NANOSECONDS["m"])
    hours, minutes = divmod(minutes, 60)
    seconds = _decimal(rest, NANOSECONDS["s"])
    parts = [(str(hours), "h"), (str(minutes), "m"), (seconds, "s")]
    # Nothing before the first part that counts, and no zeros after the last.
    while len(parts) > 1 and parts[0][0] == "0":
        del parts[0]
    while len(parts) > 1 and parts[-1][0] == "0":
        del parts[-1]
    return "".join(number + unit for number, unit in parts)


@must_be(f"{DURATION}; Docker takes none under 1ms")
def millisecond_or_more(raw: Any) -> str:
    """A duration, or none."""
    if 0 < nanoseconds(raw) < NANOSECONDS["ms"]:
        raise ValueError
    return duration(raw)


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = str(unit + rest)[1:].rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)


@must_be("a number of bytes, such as 64M")
def byte_count(raw: Any) -> int:
    """A number of bytes, with a unit: 64M, 1.5gb, 512k; units are powers of 1024."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?", str(raw).lower())
    if not match or isinstance(raw, bool):
        raise ValueError
    return _int64(Fraction(match[1]) * BYTES[match[2]])


@must_be("a number of bytes, 4M or more, such as 64M")
def memory(raw: Any) -> int:
    """As many as a task can have; 0: not said."""
    number = byte_count(raw)
    if 0 < number < LEAST_MEMORY:
        raise ValueError
    return number


@must_be("a number of processors, 0.001 or more, such as 0.5")
def cpus(raw: Any) -> int:
    """A number of processors such as 0.5, in billionths."""
    number = _fraction(raw) * 10**9
    if number < LEAST_CPU or number.denominator != 1:
        raise ValueError
    return _int64(number)


@must_be("0 to 1, in tenths: no more is kept")
def ratio(raw: Any) -> str:
    """A ratio of 0 to 1 with one decimal, which is all that the Docker provider keeps."""
    number = _fraction(raw)
    if not 0 <= number <= 1 or (number * 10).denominator != 1:
        raise ValueError
    return f"{float(number):.1f}"


def _fraction(raw: Any) -> Fraction:
    """A plain number; 1e999999999 would have to be written out."""
    if not re.fullmatch(r"\d*\.?\d*", scalar(raw)):
        raise ValueError
    return Fraction(scalar(raw))


def _int64(number: Fraction | int) -> int:
    """A whole number that Go has room for."""
    if number >= 1 << 63:
        raise ValueError
    return int(number)
