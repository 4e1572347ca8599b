"""What a host tells of itself, beside its engine: the shell text that asks, and what it said."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

DATA_ROOT = "/var/lib/docker"

# What the scripts of an up need, by the package that has it. `ip` tells the look which addresses are taken.
PACKAGES = {
    "flock": "util-linux",
    "ip": "iproute2",
    "timeout": "coreutils",
    "awk": "mawk",
    "cut": "coreutils",
    "date": "coreutils",
    "grep": "grep",
    "sed": "sed",
    "sleep": "coreutils",
    "sort": "coreutils",
    "tr": "coreutils",
    "uniq": "coreutils",
    "xargs": "findutils",
}

SCRIPT = f"""\
PATH=$PATH:/usr/sbin:/sbin
echo "clock $(date +%s.%N)"
echo "booted $(stat -c %Y /proc/1)"
stat -c 'started %Y' /run/docker.pid 2>/dev/null
stat -f -c 'free %a %S' {DATA_ROOT} 2>/dev/null
certificates={DATA_ROOT}/swarm/certificates
certificate=$(sed -n '/END/q;/^[^-]/p' $certificates/swarm-node.crt 2>/dev/null | tr -d '\\n')
[ -z "$certificate" ] || echo "certificate $certificate"
for tool in {" ".join(PACKAGES)}; do
  command -v "$tool" >/dev/null || echo "lacks $tool"
done
# As the scripts use them, which some BusyBoxes don't know. Locked for others, too: looks come side by side.
timeout -s KILL 9 true 2>/dev/null || echo "lacks timeout"
flock -s -n / true 2>/dev/null || echo "lacks flock"
modules=/lib/modules/$(uname -r)
config() {{ zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null; }}
# A module, a file that is there while the kernel has it in use, its key in the kernel's configuration.
kernel() {{
  if [ -e "/sys/module/$1" ] || [ -e "$2" ]; then found=yes
  elif grep -qs "/$1[.]ko" "$modules/modules.dep" "$modules/modules.builtin"; then found=yes
  elif [ -e "$modules/modules.dep" ]; then found=no
  else
    case $(config) in
      *"CONFIG_$3=y"*) found=yes ;;
      "" | *"CONFIG_$3=m"*) found=unknown ;;
      *) found=no ;;
    esac
  fi
  echo "kernel $1 $found"
}}
kernel overlay /sys/fs/overlay OVERLAY_FS
kernel vxlan /sys/module/vxlan VXLAN
kernel br_netfilter /proc/sys/net/bridge BRIDGE_NETFILTER
kernel ip_vs /proc/net/ip_vs IP_VS
kernel ip_vs_rr /sys/module/ip_vs_rr IP_VS_RR
ip -4 route show 2>/dev/null | while read -r net rest; do echo "route $net $rest"; done
echo
"""


@dataclass(frozen=True)
class Facts:
    """What the script printed: what was said of each thing, in order."""

    said: Mapping[str, list[str]]

    @property
    def clock(self) -> float:
        """The host's, in seconds since 1970. KeyError, ValueError: it has told none."""
        return float(self.said["clock"][0])

    @property
    def age(self) -> float:
        """Seconds since the host was started; one that doesn't say so counts as old."""
        return self._since("booted")

    @property
    def engine_age(self) -> float:
        """Seconds since its Docker Engine was started."""
        return self._since("started")

    def _since(self, event: str) -> float:
        try:
            return self.clock - float(self.said[event][0])
        except (KeyError, ValueError):
            return float("inf")

    @property
    def cluster_id(self) -> str:
        """The ID of the swarm in the host's certificate, empty where that may not be read."""
        return self._certified(b"\x0a")

    @property
    def node_id(self) -> str:
        """The host's node ID there."""
        return self._certified(b"\x03")

    def _certified(self, kind: bytes) -> str:
        """An attribute of the certificate's subject: the organization is the swarm's ID, the common name the
        node's (swarmkit, ca/certificates.go)."""
        try:
            der = base64.b64decode(self.said["certificate"][0])
        except (KeyError, ValueError):
            return ""
        # Its type's identifier, then the kind of text, its length and the text. The issuer comes before.
        attribute = re.escape(b"\x06\x03\x55\x04" + kind) + rb"[\x0c\x13].([a-z0-9]{25})"
        found = re.findall(attribute, der, re.DOTALL)
        return found[-1].decode() if found else ""

    @property
    def free(self) -> int | None:
        """Bytes that are free where the engine usually keeps its images."""
        if "free" not in self.said:
            return None
        blocks, size = self.said["free"][0].split()
        return int(blocks) * int(size)

    @cached_property
    def kernel(self) -> Mapping[str, str]:
        """Whether its kernel has a module: yes, no or unknown."""
        return dict(line.split() for line in self.said.get("kernel", ()))

    @property
    def routes(self) -> tuple[str, ...]:
        """As `ip` shows them."""
        return tuple(self.said.get("route", ()))

    @property
    def lacks(self) -> tuple[str, ...]:
        """The programs that an up needs and that aren't there."""
        return tuple(dict.fromkeys(self.said.get("lacks", ())))


def read(lines: Iterable[bytes]) -> Facts:
    """What is said up to an empty line."""
    said: dict[str, list[str]] = {}
    for line in lines:
        if line == b"\n":
            break
        key, _, value = line.decode(errors="replace").rstrip("\n").partition(" ")
        said.setdefault(key, []).append(value)
    return Facts(said)
