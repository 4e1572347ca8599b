"""Nothing is downloaded that isn't checked: Python packages, Go modules, Debian packages, the public box."""

import re
import subprocess
from pathlib import Path

import pytest

from toolchain import building
from toolchain.catalogue import HERE, tools
from vagrant import hypervisor

PROJECT = Path(__file__).parents[3]
LOCK = (PROJECT / "requirements.lock").read_text()
WRITTEN = [line for name in ("", "-dev") for line in (PROJECT / f"requirements{name}.txt").open()]
FETCHES = re.compile(
    r"urlopen|urlretrieve|build_opener|\b(?:curl|wget|npm|mmdebstrap|apt-get)\b|\bpip3? install\b"
    r"|\bplugin install\b|\bgo (?:install|get|run)\b|\bbox add\b|\bdocker pull\b|\bgit clone\b"
)
# Every file of the program that has such a word, and what checks what it fetches.
CHECKED = {
    "Makefile": "pip, by the hashes of requirements.lock",
    "hosts/machine.py": "apt, by Debian's signatures",
    "hosts/images.py": "mmdebstrap, by Debian's signatures; hears whether the public registry answers",
    "acceptance/stages/mesh.py": "pages of the swarm's own services",
    "acceptance/play/script.py": "pages of the swarm's own services",
    "stacks/demo.yaml": "a page of the service's own",
    "stacks/demo/start.sh": "the stack's own Redis",
    "stacks/mesh/mesh.yaml": "a comment",
    "toolchain/choice.py": "words of an error: what the user may install",
    "toolchain/debian": "apt, by Debian's signatures",
    "toolchain/downloading.py": "toolchain/checksums",
    "toolchain/machine.py": "hears whether the server answers",
    "toolchain/pin.py": "checksums, of which none may change",
    "vagrant/box.py": "a comment: the box is our own",
    "vagrant/customize.sh": "comments",
    "vagrant/docker.sh": "apt, by Debian's signatures; images, which Docker checks by their manifest",
    "vagrant/hypervisor.py": "hears whether the catalogue of boxes answers",
}
UNCHECKED = re.compile(
    r"no-check-(?:gpg|certificate)|Allow-?(?:Insecure|Unauthenticated|Downgrade|Weak)|trusted[=:]|--insecure"
    r"|curl -k|Check-Valid-Until|verify=False|_unverified_|CERT_NONE|trusted-host|GONOSUM|GOINSECURE|GOSUMDB"
    r"|-mod=mod|download_insecure|StrictHostKeyChecking[\"=: ]+(?:no|off|accept-new)\b",
    re.IGNORECASE,
)
PACKAGE = re.compile(r"([\w.-]+)==(\S+)")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> list[tuple[str, str, list[str]]]:
    """Name, version and hashes of each entry of the lock."""
    lines = [line for line in LOCK.splitlines() if line and not line.lstrip().startswith("#")]
    found: list[tuple[str, str, list[str]]] = []
    for line in lines:
        if match := PACKAGE.match(line):
            found.append((canonical(match[1]), match[2], []))
        else:
            found[-1][2].append(line.strip(" \\"))
    return found


@pytest.mark.parametrize("line", [line.strip() for line in WRITTEN if line[0] not in "#-"])
def test_the_lock_has_what_is_written_in_its_version(line: str) -> None:
    pinned = PACKAGE.fullmatch(line)
    assert pinned, f"{line} pins no version"
    versions = [version for name, version, _ in locked() if name == canonical(pinned[1])]
    assert versions == [pinned[2]], "run `make lock`"


def test_every_package_of_the_lock_has_hashes_and_nothing_else() -> None:
    assert len(locked()) > len(WRITTEN)
    for name, version, hashes in locked():
        assert hashes, f"{name} {version} has no hash"
        for given in hashes:
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", given), f"{name}: {given}"


def test_the_lock_names_no_machine_and_no_index() -> None:
    for word in ("://", "--index", "--extra-index", "--find-links", "--trusted-host", " /", "file:"):
        assert word not in LOCK


def test_pip_installs_from_the_lock_alone() -> None:
    (line,) = [line for line in (PROJECT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert line.endswith("--require-hashes --only-binary :all: -r $<")
    assert "\n$(INSTALLED): requirements.lock\n" in (PROJECT / "Makefile").read_text()


def program(*patterns: str) -> dict[str, str]:
    """The text of each of the project's files by its name, but for its pages and the tests."""
    listed = ["git", "ls-files", "--", *patterns, ":!*.md", ":!docs", ":!tests", ":!*.sum", ":!*.lock"]
    names = subprocess.run(listed, cwd=PROJECT, check=True, capture_output=True, text=True).stdout.split()
    return {name: (PROJECT / name).read_text() for name in names}


def test_whatever_fetches_is_known_with_what_checks_it() -> None:
    found = {name for name, text in program().items() if FETCHES.search(text)}
    assert found == set(CHECKED), "say in CHECKED what checks that which is fetched there"


@pytest.mark.parametrize("what", ["program", "tests"])
def test_no_check_is_turned_off_anywhere(what: str) -> None:
    texts = program()
    if what == "tests":
        texts = {str(path): path.read_text() for path in (PROJECT / "tests").rglob("*.py")}
        del texts[__file__]
    assert {name: found[0] for name, text in texts.items() if (found := UNCHECKED.search(text))} == {}


def test_pulumi_downloads_no_plugin_by_itself() -> None:
    assert ': "${PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION:=true}"' in (PROJECT / "env.sh").read_text()
    assert not [name for name, text in program("*.py", "*.sh").items() if '"plugin", "install"' in text]


def test_builds_take_no_module_that_go_sum_does_not_have() -> None:
    # On the command line: it outdoes GOFLAGS. What it finds no hash for ends the build.
    assert "-mod=readonly" in building._FLAGS
    for tool in tools((PROJECT / "requirements.txt").read_text()):
        for recipe in tool.recipes:
            assert (HERE / recipe.module / "go.sum").stat().st_size
    for file in HERE.rglob("go.mod"):
        local = re.findall(r"=> (\.\S*|/\S*)", file.read_text())
        assert all((file.parent / path).resolve().is_relative_to(HERE) for path in local), file


def test_the_public_box_is_of_one_version() -> None:
    text = (PROJECT / "vagrant/Vagrantfile").read_text()
    (name,) = re.findall(r'ENV.fetch\("BOX", "(\S+)"\)', text)
    assert hypervisor.CATALOGUE.removeprefix("https://vagrantcloud.com/") == name
    assert re.search(r'config.vm.box_version = "\d+\.\d+\.\d+" unless ENV\["BOX"\]', text)
