"""Virtual machines, without one: one inventory, the command line, what Vagrant and libvirt say."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path

import pytest
import yaml

from hosts import images
from swarm.errors import LabError
from vagrant import box, hypervisor, machines
from vagrant.__main__ import parse

PROJECT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((PROJECT / "Pulumi.dev.yaml").read_text())["config"]
NODES = CONFIG["swarm:nodes"]
PAIR = """
<network>
  <name>swarm</name>
  <bridge name='virbr1' stp='on' delay='0'/>
  <ip address='10.0.0.1' netmask='255.255.255.0'>
  </ip>
</network>
"""


def test_the_stack_has_the_six_machines_of_the_original() -> None:
    assert {node["name"]: node["host"] for node in NODES} == {
        **{f"swarm-manager-0{n}": f"10.0.0.11{n}" for n in (1, 2, 3)},
        **{f"swarm-worker-0{n}": f"10.0.0.12{n}" for n in (1, 2, 3)},
    }


def test_names_and_addresses_are_said_in_the_stacks_file_alone() -> None:
    said = {node[key] for node in NODES for key in ("name", "host")}
    for file in (PROJECT / "vagrant").iterdir():
        if file.is_file():
            assert not [word for word in said if word in file.read_text()], file.name


def test_every_machine_has_a_key_of_its_own_where_the_vagrantfile_puts_it() -> None:
    keys = {node["name"]: node["ssh"]["privateKeyFile"] for node in NODES}
    assert keys == {name: f".machines/{name}.key" for name in keys}
    assert CONFIG["swarm:ssh"]["knownHostsFile"] == ".machines/known_hosts"


def test_the_address_pool_is_off_the_machines_network() -> None:
    pool = IPv4Network(CONFIG["swarm:addressPool"])
    assert not [node["host"] for node in NODES if IPv4Address(node["host"]) in pool]


def test_the_command_line_reads_machines_and_a_remote_command() -> None:
    assert parse(["up"]).nodes == []
    assert parse(["up", "a", "b"]).nodes == ["a", "b"]
    assert parse(["destroy", "a"]).nodes == ["a"]
    ssh = parse(["ssh", "a", "docker", "ps", "-a"])
    assert (ssh.node, ssh.remote) == ("a", ["docker", "ps", "-a"])


@pytest.mark.parametrize("arguments", [["destroy"], ["stop"], ["ssh"]])
def test_a_command_line_without_its_machine_is_answered_with_what_is_missing(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(arguments)
    assert "NODE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("installed", "answers", "box", "own"),
    [
        (False, True, None, True),
        (True, True, None, False),
        (True, False, None, True),
        (True, False, "a-box-of-mine", False),
    ],
)
def test_a_hypervisor_runs_the_machines_where_it_can_have_a_box(
    installed: bool,
    answers: bool,
    box: str | None,
    own: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machines, "HERE", tmp_path)
    monkeypatch.setattr(hypervisor, "installed", lambda: installed)
    monkeypatch.setattr(hypervisor, "catalogue_answers", lambda: answers)
    monkeypatch.delenv("BOX", raising=False)
    if box:
        monkeypatch.setenv("BOX", box)
    assert machines.Machines(tmp_path).on_our_own is own


def test_machines_stay_where_they_are_when_the_catalogue_goes_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machines, "HERE", tmp_path)
    monkeypatch.setattr(hypervisor, "installed", lambda: True)
    monkeypatch.setattr(hypervisor, "catalogue_answers", lambda: False)
    there = tmp_path / ".vagrant" / "machines" / "one" / "virtualbox"
    there.mkdir(parents=True)
    (there / "id").touch()
    assert not machines.Machines(tmp_path).on_our_own


def test_vagrants_table_gives_each_machines_state() -> None:
    table = (
        "1700000000,a,metadata,provider,libvirt\n"
        "1700000000,a,state,not_created\n"
        "1700000000,a,state-human-short,not created\n"
        "1700000000,b,state-human-short,running\n"
        "1700000000,,ui,info,Current machine states\n"
    )
    assert machines.parse_status(table) == {"a": "not created", "b": "running"}


def test_pins_give_each_machines_address() -> None:
    pins = "a,10.0.0.111 ssh-ed25519 AAAA\nb,10.0.0.121 ssh-ed25519 BBBB\n"
    assert machines.parse_pins(pins) == {"a": "10.0.0.111", "b": "10.0.0.121"}


def test_a_machine_without_a_pin_is_refused_by_name(tmp_path: Path) -> None:
    made = machines.Machines(tmp_path)
    with pytest.raises(LabError, match="python3 -m vagrant up"):
        made.ssh_command("a")
    made.known_hosts.write_text("b,10.0.0.121 ssh-ed25519 BBBB\n")
    with pytest.raises(LabError, match="known are b"):
        made.ssh_command("a")
    assert made.ssh_command("b")[-1] == "vagrant@10.0.0.121"


def test_libvirts_network_gives_its_bridge_and_address() -> None:
    assert hypervisor.parse_network(PAIR) == ("virbr1", IPv4Interface("10.0.0.1/24"))


def test_the_boot_sector_is_one() -> None:
    assert len(hypervisor.BOOT_SECTOR) == 512
    assert hypervisor.BOOT_SECTOR.endswith(b"\x55\xaa")


def test_another_recipe_is_another_box() -> None:
    other = images.Recipe(**{**vars(box.MACHINE), "hooks": ()})
    assert images.key(other) != images.key(box.MACHINE)
