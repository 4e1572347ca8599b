"""What the doctor wants to know of a host beyond what a look tells, in one SSH session."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from swarm import process
from swarm.observe.probe import TOTAL_SECONDS

# Arguments: the engine's data folder, then the other nodes' addresses or names.
SCRIPT = r"""
PATH=$PATH:/usr/sbin:/sbin
root=$1
shift
perl -MIO::Select -MIO::Socket::INET -e 1 2>/dev/null && echo 'tool perl'
python3 -c 'import select, socket' 2>/dev/null && echo 'tool python3'
stat -f -c 'free %a %S' "$root" 2>/dev/null
for key in net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.ipv4.neigh.default.gc_thresh3; do
  value=$(cat "/proc/sys/$(echo "$key" | tr . /)" 2>/dev/null) && echo "sysctl $key $value"
done
ip -4 -o address show | while read -r _ device _ address _; do echo "address ${address%/*} $device"; done
for peer in "$@"; do
  address=$peer
  case $peer in
    *[!0-9.]*) address=$(timeout 1 getent ahostsv4 "$peer" | { read -r one _ && echo "$one"; }) || continue ;;
  esac
  way=$(ip -4 route get "$address" 2>/dev/null) || continue
  way=${way#* dev } device=${way%% *}
  { read -r mtu <"/sys/class/net/$device/mtu"; } 2>/dev/null && echo "link $peer $device $mtu"
done
echo end
"""


@dataclass(frozen=True)
class Link:
    """The way out towards a peer: the network interface, and its MTU in octets."""

    device: str
    mtu: int


@dataclass(frozen=True)
class Facts:
    """What a host tells the doctor; `problem`: why it tells nothing."""

    problem: str | None = None
    tool: str | None = None  # perl or python3, for what is sent and received
    free: int | None = None  # octets in the engine's data folder
    sysctls: Mapping[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    links: Mapping[str, Link] = field(default_factory=dict)  # by the peer's address or name


def ask(path: Path, name: str, data_root: str, peers: Iterable[str], limit: float = TOTAL_SECONDS) -> Facts:
    """The facts of a host, within `limit` seconds; `peers` are the addresses or names of the other nodes."""
    command = shlex.join(["sh", "-c", SCRIPT, "sh", data_root, *peers])
    try:
        done = process.run(["ssh", "-F", str(path), name, command], limit)
    except subprocess.TimeoutExpired:
        return Facts(problem=f"it gave no answer within {limit} s")
    if not done.stdout.endswith("end\n"):
        return Facts(problem=process.last_words(done))
    return parse(done.stdout)


def parse(text: str) -> Facts:
    """The facts in what the script prints."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    tools = [words[1] for words in lines if words[0] == "tool"]
    free = [int(words[1]) * int(words[2]) for words in lines if words[0] == "free"]
    return Facts(
        tool=tools[0] if tools else None,
        free=free[0] if free else None,
        sysctls={words[1]: words[2] for words in lines if words[0] == "sysctl"},
        addresses=tuple(words[1] for words in lines if words[0] == "address"),
        links={words[1]: Link(words[2], int(words[3])) for words in lines if words[0] == "link"},
    )
