"""What a lab looks like, without one: names, addresses, subnets, ownership, arguments, images."""

import io
import json
import os
import tarfile
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from hosts import containers, images, machine, registry_storage
from lab import layout, neighbors
from lab.__main__ import parse
from swarm.errors import LabError
from tests.unit.given import Program


def test_managers_and_workers_have_names_and_addresses_of_their_own() -> None:
    nodes = layout.nodes(IPv4Network("10.111.0.0/24"), 2, 2)
    assert [(n.name, n.role, n.address) for n in nodes] == [
        ("swarm-manager-01", "manager", "10.111.0.111"),
        ("swarm-manager-02", "manager", "10.111.0.112"),
        ("swarm-worker-01", "worker", "10.111.0.121"),
        ("swarm-worker-02", "worker", "10.111.0.122"),
    ]


def test_the_largest_lab_repeats_no_address_and_stays_in_its_subnet() -> None:
    subnet = IPv4Network("10.111.7.0/24")
    nodes = layout.nodes(subnet, layout.MAX_MANAGERS, layout.MAX_WORKERS)
    assert len({n.address for n in nodes}) == len({n.name for n in nodes}) == 109
    assert all(IPv4Network(n.address).subnet_of(subnet) for n in nodes)


def test_a_bigger_lab_keeps_the_nodes_of_the_smaller() -> None:
    subnet = layout.DEFAULT_SUBNET
    assert set(layout.nodes(subnet, 3, 3)) < set(layout.nodes(subnet, 3, 4))


@pytest.mark.parametrize("size", ["3", "3,", "a,b", "3,3,3", "-1,2", "0,3", "10,1", "1,101", ""])
def test_a_size_without_addresses_or_sense_is_refused(size: str) -> None:
    with pytest.raises(ValueError, match=r"MANAGERS,WORKERS|addresses"):
        layout.parse_size(size)


@pytest.mark.parametrize("name", ["", "A", "a b", "a_b", "../x", "-a", "a-", "x" * 33])
def test_a_name_that_a_container_or_folder_cannot_carry_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a lab's name"):
        layout.parse_name(name)


def test_the_name_of_a_test_lab_is_a_name() -> None:
    assert layout.parse_name("test-4194304-side-by-side") == "test-4194304-side-by-side"


def test_the_lab_called_lab_has_its_own_subnet_or_none() -> None:
    fixed = layout.DEFAULT_SUBNET
    assert layout.choose_subnet("lab", []) == fixed
    assert layout.choose_subnet("lab", [IPv4Network("10.111.1.0/24")]) == fixed
    assert layout.choose_subnet("lab", [IPv4Network("10.111.0.128/25")]) is None


def test_other_labs_take_the_first_subnet_that_overlaps_nothing() -> None:
    taken = [IPv4Network("10.111.1.0/24"), IPv4Network("10.111.2.64/26")]
    assert layout.choose_subnet("other", []) == IPv4Network("10.111.1.0/24")
    assert layout.choose_subnet("other", taken) == IPv4Network("10.111.3.0/24")
    assert layout.choose_subnet("other", [IPv4Network("10.0.0.0/8")]) is None


def test_routes_are_read_from_the_kernels_table_without_the_default_route() -> None:
    table = (
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
        "eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\n"
        "eth0 000200C0 00000000 0001 0 0 0 00FFFFFF 0 0 0\n"
        "tun0 0000100A 00000000 0001 0 0 0 0000F0FF 0 0 0\n"
    )
    assert machine.routes(table) == [
        IPv4Network("192.0.2.0/24"),
        IPv4Network("10.16.0.0/12"),
    ]


def test_an_address_always_comes_with_the_same_hardware_address() -> None:
    assert layout.mac_address("10.111.0.121") == "02:42:0a:6f:00:79"


@pytest.mark.parametrize(
    ("owner", "owner_keeps_state", "what"),
    [
        ("/here", True, "ours"),
        ("/there", True, "foreign"),
        ("/there", False, "remains"),
        ("/here", False, "remains"),
    ],
)
def test_a_lab_belongs_to_the_checkout_that_keeps_its_state(
    owner: str, owner_keeps_state: bool, what: str
) -> None:
    assert layout.claim(owner, "/here", owner_keeps_state) == what


def test_a_process_is_alive_and_one_that_merely_has_its_number_is_not() -> None:
    myself = machine.process(os.getpid())
    assert myself is not None
    assert machine.alive(myself)
    assert not machine.alive(f"{os.getpid()}-1")


def test_a_folder_that_may_not_be_seen_counts_as_being_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", denied)
    assert machine.present(Path("/somebody/else"))


def test_the_command_line_reads_a_name_a_size_and_a_remote_command() -> None:
    up = parse(["--name", "other", "up", "--nodes", "5,15"])
    assert (up.name, up.command, up.nodes) == ("other", "up", (5, 15))
    assert parse(["up"]).nodes == (3, 3)
    ssh = parse(["ssh", "swarm-worker-01", "docker", "ps", "-a"])
    assert (ssh.node, ssh.remote) == ("swarm-worker-01", ["docker", "ps", "-a"])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["up", "--nodes", "three"], "such as 3,3"),
        (["up", "--nodes", "0,3"], "1 to 9 managers"),
        (["--name", "A b", "up"], "not a lab's name"),
        (["stop"], "NODE"),
        ([], "COMMAND"),
    ],
)
def test_a_wrong_command_line_is_answered_with_what_is_wrong(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
    assert complaint in capsys.readouterr().err


def test_both_engines_descriptions_of_a_network_give_its_subnets() -> None:
    docker = {"Name": "a", "IPAM": {"Config": [{"Subnet": "10.1.0.0/16"}, {"Subnet": "fd00::/64"}]}}
    podman = {"name": "a", "subnets": [{"subnet": "10.1.0.0/16"}]}
    expected = [IPv4Network("10.1.0.0/16")]
    assert containers.subnets_of(docker) == containers.subnets_of(podman) == expected


def test_both_engines_descriptions_of_a_container_give_the_same_resource() -> None:
    described = {"Config": {"Labels": {"a": "b"}}, "State": {"Running": True}}
    docker = containers.describe("container", {"Name": "/x", **described})
    podman = containers.describe("container", {"Name": "x", **described})
    assert docker == podman == containers.Resource("container", "x", {"a": "b"}, running=True)


# Knows containers a and b; the first time that both are inspected, b has just been removed.
FLEETING = r"""
case $2 in
  ls) cat "$0.ids" 2>/dev/null || echo a b ;;
  inspect) [ "$*" = "container inspect a" ] || { echo a >"$0.ids"; echo "no such container b" >&2; exit 125; }
    echo '[{"Id": "a"}]' ;;
esac
"""


def test_what_is_removed_between_a_list_and_its_inspection_is_left_out(tmp_path: Path) -> None:
    script = tmp_path / "engine"
    script.write_text(FLEETING)
    assert containers.Engine("sh", ("sh", str(script)))._inspect("container") == [{"Id": "a"}]


def test_what_is_there_and_cannot_be_inspected_is_an_error(tmp_path: Path) -> None:
    script = tmp_path / "engine"
    script.write_text("[ $2 = ls ] && echo a")
    with pytest.raises(LabError):
        containers.Engine("sh", ("sh", str(script)))._inspect("container")


def test_a_tag_is_the_version_that_apt_is_told_to_insist_on() -> None:
    for service in images.SERVICES:
        version = service.name.partition(":")[2]
        assert any(f"{version}-*" in package for package in service.packages)


def test_a_registry_finds_in_its_store_what_was_put_there() -> None:
    file = io.BytesIO()
    layer = b"a layer"
    with tarfile.open(fileobj=file, mode="w") as tar:
        registry_storage.add_image(tar, "redis", "7.0.15", io.BytesIO(layer), {"Cmd": ["redis-server"]})
    file.seek(0)
    with tarfile.open(fileobj=file) as tar:
        content = {m.name: held.read() for m in tar if (held := tar.extractfile(m))}

    def blob(digest: str) -> bytes:
        hexadecimal = digest.removeprefix("sha256:")
        return content[f"./{registry_storage.ROOT}/blobs/sha256/{hexadecimal[:2]}/{hexadecimal}/data"]

    tag = f"./{registry_storage.ROOT}/repositories/library/redis/_manifests/tags/7.0.15/current/link"
    manifest = json.loads(blob(content[tag].decode()))
    config = json.loads(blob(manifest["config"]["digest"]))
    assert blob(manifest["layers"][0]["digest"]) == layer
    assert manifest["layers"][0]["size"] == len(layer)
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    assert config["config"] == {"Cmd": ["redis-server"]}


@pytest.mark.parametrize(("version", "installs"), [("1:7.2", True), ("1:10.0~bpo12+1", False), ("", True)])
def test_packages_of_backports_come_from_there_and_the_machine_s_sources_stay(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, installs: bool
) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    (sources / "debian.sources").write_text("its own")
    monkeypatch.setattr(machine, "SOURCES", sources)
    monkeypatch.setattr(machine, "AS_ROOT", ())
    monkeypatch.setattr(machine, "CACHE", tmp_path)
    program("dpkg-query", f"#!/bin/sh\n[ -z '{version}' ] || echo 'ii  qemu {version}'\n")
    program(
        "apt-get",
        f"#!/bin/sh\necho $* >>{tmp_path}/asked\n"
        f"for one; do case $one in *SourceParts=*) cat ${{one#*=}}/* >{tmp_path}/given ;; esac; done\n",
    )
    machine.install({"qemu"}, recommended=False, backports="bookworm")
    assert (tmp_path / "asked").exists() == installs
    if installs:
        assert "--target-release bookworm-backports install -y qemu" in (tmp_path / "asked").read_text()
        assert "bookworm-backports main\nits own" in (tmp_path / "given").read_text()
    assert [path.name for path in sources.iterdir()] == ["debian.sources"]


USUAL = {"gc_thresh1": 128, "gc_thresh2": 512, "gc_thresh3": 1024}


@pytest.mark.parametrize(
    ("hosts", "have", "changes"),
    [
        (6, USUAL, {}),
        (16, USUAL, {}),
        (17, USUAL, neighbors.AMPLE),
        (50, USUAL, neighbors.AMPLE),
        (50, neighbors.AMPLE, {}),
        (layout.MAX_MANAGERS + layout.MAX_WORKERS, neighbors.AMPLE, {}),
        (50, {**USUAL, "gc_thresh3": 65536}, {"gc_thresh1": 8192, "gc_thresh2": 16384}),
        (50, {"gc_thresh1": 8192, "gc_thresh2": 49152, "gc_thresh3": 65536}, {}),
        (50, {}, {}),
    ],
)
def test_limits_of_neighbors_that_are_too_low_for_a_lab_are_raised_and_none_is_lowered(
    hosts: int, have: dict[str, int], changes: dict[str, int]
) -> None:
    assert neighbors.raised(hosts, have) == changes


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel with the usual limits, which root sets by sysctl."""
    for name, value in USUAL.items():
        (tmp_path / name).write_text(f"{value}\n")
    monkeypatch.setattr(neighbors, "FOLDER", tmp_path)
    monkeypatch.setattr(neighbors, "AS_ROOT", ())
    return tmp_path


def test_a_large_lab_says_that_it_enlarges_the_neighbor_table(
    kernel: Path, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program("sysctl", f"#!/bin/sh\necho $* >{kernel}/asked\n")
    neighbors.provide(50)
    assert "gc_thresh3 from 1024 to 32768" in capsys.readouterr().err
    wanted = " ".join(f"net.ipv4.neigh.default.{key}={value}" for key, value in neighbors.AMPLE.items())
    assert (kernel / "asked").read_text() == f"-q -w {wanted}\n"


def test_a_large_lab_that_may_not_enlarge_it_tells_what_to_run(
    kernel: Path, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program("sysctl", "#!/bin/sh\necho 'permission denied' >&2\nexit 1\n")
    neighbors.provide(50)
    said = capsys.readouterr().err
    assert "permission denied" in said
    assert "Run as root: sysctl -w net.ipv4.neigh.default.gc_thresh1=8192 " in said


def test_a_small_lab_touches_nothing(
    kernel: Path, program: Program, capsys: pytest.CaptureFixture[str]
) -> None:
    program("sysctl", f"#!/bin/sh\ntouch {kernel}/asked\n")
    neighbors.provide(6)
    assert not (kernel / "asked").exists()
    assert capsys.readouterr().err == ""
