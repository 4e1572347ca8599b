"""Where the tools come from, how they are kept, and what is said when there is no way to them."""

import hashlib
import io
import json
import os
import re
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from toolchain import __main__, building, checkout, checksums, downloading, machine, pin, store
from toolchain.__main__ import advice
from toolchain.catalogue import HERE, PLATFORMS, Tool, parse, tools
from toolchain.catalogue import pin as version_pinned
from toolchain.checkout import Row
from toolchain.choice import (
    GO_WANTED,
    Candidate,
    Choice,
    Go,
    NoSourceError,
    Offers,
    Source,
    choose,
)

REQUIREMENTS = "pulumi==3.272.0\npulumi-command==1.2.1\npulumi_docker==5.2.0  # the services\n"
PULUMI, COMMAND, DOCKER = tools(REQUIREMENTS)
OFFLINE = "get.pulumi.com can't be reached (no route to host)"
GO = Go("1.26.8", switches=True)
BIN = Path("/usr/bin/pulumi")
PLUGIN = Path("/home/me/.pulumi/plugins/resource-docker-v5.2.0/pulumi-resource-docker")


def offers(
    *installed: Candidate,
    downloaded: bool = False,
    built: bool = False,
    unreachable: str = OFFLINE,
    go: Go | None = GO,
) -> Offers:
    return Offers(installed, downloaded, built, unreachable, go)


@pytest.mark.parametrize(
    ("tool", "offered", "choice"),
    [
        pytest.param(
            PULUMI,
            offers(Candidate(BIN, "3.259.0"), unreachable=""),
            Choice(Source.INSTALLED, "fits 3.259.0 or a newer 3.x", BIN),
            id="the wanted version is installed",
        ),
        pytest.param(
            PULUMI,
            offers(Candidate(BIN, "3.300.1")),
            Choice(Source.INSTALLED, "fits 3.259.0 or a newer 3.x", BIN),
            id="a newer one of the same major is installed",
        ),
        pytest.param(
            PULUMI,
            offers(Candidate(Path("/old/pulumi"), "3.100.0"), Candidate(BIN, "3.260.0")),
            Choice(Source.INSTALLED, "fits 3.259.0 or a newer 3.x", BIN),
            id="the first on PATH is too old and another one isn't",
        ),
        pytest.param(
            PULUMI,
            offers(Candidate(BIN, "3.100.0"), unreachable=""),
            Choice(Source.DOWNLOAD, "/usr/bin/pulumi is 3.100.0, not 3.259.0 or a newer 3.x"),
            id="the installed one is too old",
        ),
        pytest.param(
            PULUMI,
            offers(Candidate(BIN, "4.0.0"), unreachable=""),
            Choice(Source.DOWNLOAD, "/usr/bin/pulumi is 4.0.0, not 3.259.0 or a newer 3.x"),
            id="the installed one is of another major",
        ),
        pytest.param(
            PULUMI,
            offers(Candidate(BIN, ""), unreachable=""),
            Choice(Source.DOWNLOAD, "/usr/bin/pulumi is of unknown version, not 3.259.0 or a newer 3.x"),
            id="the installed one doesn't tell its version",
        ),
        pytest.param(
            PULUMI,
            offers(Candidate(BIN, "3.259.0", lacks="pulumi-language-python"), unreachable=""),
            Choice(Source.DOWNLOAD, "/usr/bin/pulumi lacks pulumi-language-python beside it"),
            id="the installed one has no Python language host",
        ),
        pytest.param(
            DOCKER,
            offers(Candidate(PLUGIN, "5.2.0")),
            Choice(Source.INSTALLED, "fits 5.2.0, as requirements.txt pins it", PLUGIN),
            id="the plugin of the pinned version is installed",
        ),
        pytest.param(
            DOCKER,
            offers(Candidate(PLUGIN, "5.3.0"), unreachable=""),
            Choice(Source.DOWNLOAD, f"{PLUGIN} is 5.3.0, not 5.2.0, as requirements.txt pins it"),
            id="only a newer plugin is installed",
        ),
        pytest.param(
            PULUMI,
            offers(unreachable=""),
            Choice(Source.DOWNLOAD, "not installed"),
            id="nothing is installed and the download answers",
        ),
        pytest.param(
            PULUMI,
            offers(downloaded=True, built=True, go=None),
            Choice(Source.DOWNLOAD, "not installed; downloaded before"),
            id="downloaded before and offline now",
        ),
        pytest.param(
            COMMAND,
            offers(),
            Choice(Source.BUILD, f"not installed; {OFFLINE}"),
            id="nothing but Go",
        ),
        pytest.param(
            COMMAND,
            offers(go=Go("1.21.6", switches=True)),
            Choice(Source.BUILD, f"not installed; {OFFLINE}"),
            id="a Go that can fetch a newer one",
        ),
        pytest.param(
            COMMAND,
            offers(built=True, go=None),
            Choice(Source.BUILD, f"not installed; {OFFLINE}; built before"),
            id="built before and Go is gone",
        ),
    ],
)
def test_the_first_source_that_serves_is_chosen_and_said_why(
    tool: Tool, offered: Offers, choice: Choice
) -> None:
    assert choose(tool, offered) == choice


@pytest.mark.parametrize(
    ("go", "problem"),
    [
        (None, "no go command on PATH"),
        (Go("1.19.8", switches=True), "Go 1.19.8 is too old"),
        (Go("1.24.4", switches=False), "GOTOOLCHAIN keeps it from a newer one"),
    ],
)
def test_without_any_source_the_error_has_each_reason_and_the_remedy(go: Go | None, problem: str) -> None:
    with pytest.raises(NoSourceError) as error:
        choose(DOCKER, offers(go=go))
    for part in ("docker 5.2.0", OFFLINE, problem, "Install Go 1.21", "plugin install resource"):
        assert part in str(error.value)


def test_a_version_that_the_go_modules_do_not_build_is_not_built() -> None:
    docker = tools(REQUIREMENTS.replace("5.2.0", "5.3.0"))[2]
    with pytest.raises(NoSourceError, match=r"build 5\.2\.0, requirements\.txt pins 5\.3\.0"):
        choose(docker, offers())
    assert choose(docker, offers(unreachable="")).source is Source.DOWNLOAD


def test_the_versions_that_the_project_pins_can_be_built() -> None:
    for tool in tools((HERE.parent / "requirements.txt").read_text()):
        assert tool.version == tool.buildable


def test_go_modules_ask_for_no_newer_go_than_the_choice_checks() -> None:
    for file in HERE.glob("*/go.mod"):
        asked = re.search(r"^go (\S+)$", file.read_text(), re.MULTILINE)
        assert asked is not None
        # "1.25" is the language's version, which every release of it serves.
        assert parse(asked[1] + ".0") <= parse(GO_WANTED), file


@pytest.mark.parametrize(
    "line",
    ["pulumi_docker==5.2.0", "pulumi-docker==5.2.0 # why", "Pulumi.Docker==5.2.0 \\\n --hash"],
)
def test_a_pin_is_read_however_it_is_spelled(line: str) -> None:
    assert version_pinned(f"pulumi==3.272.0\n{line}\n", "pulumi_docker") == "5.2.0"


@pytest.mark.parametrize("text", ["", "pulumi_docker>=5.2.0", "# pulumi_docker==5.2.0"])
def test_a_missing_pin_is_an_error_with_its_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"no line `pulumi_docker==VERSION`.*pin it there"):
        version_pinned(text, "pulumi_docker")


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\necho v3.260.0\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's home without anything in it."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    monkeypatch.delenv("PULUMI_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def test_installed_is_what_is_on_path_or_where_the_installer_puts_it(user: Path) -> None:
    real = executable(user / "opt/pulumi")
    executable(user / "opt/pulumi-language-python")
    (user / "b").mkdir()
    (user / "b/pulumi").symlink_to(real)
    other = executable(user / ".pulumi/bin/pulumi")
    assert machine.installed(PULUMI, []) == [
        Candidate(real, "3.260.0"),
        Candidate(other, "3.260.0", lacks="pulumi-language-python"),
    ]


def test_what_this_program_made_itself_is_not_taken_for_installed(user: Path) -> None:
    kept = executable(user / "cache/pulumi")
    (user / "a").mkdir()
    (user / "a/pulumi").symlink_to(kept)
    assert machine.places(PULUMI, [user / "cache"]) == []


def test_an_installed_plugin_tells_its_version_by_its_folder(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_HOME", str(user / "own"))
    wanted = "plugins/resource-docker-v{}/pulumi-resource-docker"
    new = executable(user / "own" / wanted.format("5.2.0"))
    old = executable(user / ".pulumi" / wanted.format("5.1.0"))
    executable(user / ".pulumi" / wanted.format("5.0.0"))
    (user / ".pulumi/plugins/resource-docker-v5.0.0.partial").touch()
    executable(user / "a/pulumi-resource-docker")
    assert machine.installed(DOCKER, []) == [Candidate(new, "5.2.0"), Candidate(old, "5.1.0")]


def test_key_changes_with_recipe_and_sources_but_not_with_tests(tmp_path: Path) -> None:
    module = tmp_path / "docker"
    module.mkdir()
    seen = [store.build_key(DOCKER, tmp_path)]
    for name in ("main.go", "go.sum", "shim/shim.go"):
        (module / name).parent.mkdir(exist_ok=True)
        (module / name).write_text("a")
        seen.append(store.build_key(DOCKER, tmp_path))
    (module / "main.go").write_text("b")
    seen.append(store.build_key(DOCKER, tmp_path))
    assert len(set(seen)) == len(seen)
    (module / "main_test.go").write_text("a")
    (module / "notes.md").write_text("a")
    assert store.build_key(DOCKER, tmp_path) == seen[-1]
    assert store.build_key(COMMAND, tmp_path) != seen[0]


def fill(*names: str, fail: type[BaseException] | None = None) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name in names:
            (folder / name).write_text(name)
        if fail:
            raise fail

    return make


def test_a_tool_is_published_whole_and_can_be_run(tmp_path: Path) -> None:
    store.publish(tmp_path / "tool", ("a", "b"), fill("a", "b"))
    assert os.access(tmp_path / "tool/a", os.X_OK)
    assert [path.name for path in tmp_path.iterdir()] == ["tool"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_cut_off_build_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        store.publish(tmp_path / "tool", ("a",), fill("a", fail=error))
    assert not list(tmp_path.iterdir())


def test_a_tool_that_lacks_a_file_is_not_published(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.publish(tmp_path / "tool", ("a", "b"), fill("a"))
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("user")
def test_a_run_waits_for_another_one_and_says_so_when_it_gives_up() -> None:
    said: list[str] = []
    with (
        store.lock(1, said.append),
        pytest.raises(TimeoutError, match="held by another run"),
        store.lock(0, said.append),
    ):
        pass
    with store.lock(0, said.append):
        assert said == ["another run is at it: waiting for it"]


@pytest.mark.usefixtures("user")
def test_what_a_killed_run_left_behind_is_removed() -> None:
    left = store.root() / "unfinished-1"
    left.mkdir(parents=True)
    with store.lock(0, print):
        assert not left.exists()


def archive(path: Path, *names: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for name in names:
            # What is downloaded is run once, to hear its version.
            content = f"#!/bin/sh\necho ran >>'{path.parent}/ran'\necho {PULUMI.version}\n".encode()
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_a_release_is_unpacked_without_the_other_language_hosts(tmp_path: Path) -> None:
    names = (*PULUMI.files, "pulumi-language-python-exec", "pulumi-language-go", "pulumi-watch")
    release = archive(tmp_path / "release.tar.gz", *names)
    folder = tmp_path / "folder"
    folder.mkdir()
    downloading.unpack(release, PULUMI.files, folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(names[:3])


class Server(SimpleHTTPRequestHandler):
    # Bytes that are announced and don't come.
    missing = 0

    def log_message(self, *_: object) -> None:
        pass

    def send_header(self, keyword: str, value: str) -> None:
        length = keyword.lower() == "content-length"
        super().send_header(keyword, str(int(value) + self.missing) if length else value)


@pytest.fixture
def releases(user: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that a server of releases serves: it holds the CLI's and a plugin's. None is pinned."""
    folder = user / "releases"
    monkeypatch.setattr(checksums, "TABLE", user / "checksums")
    archive(folder / "sdk" / machine.archive(PULUMI), *PULUMI.files)
    archive(folder / "plugins" / machine.archive(COMMAND), *COMMAND.files)
    (user / "checksums").touch()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, directory=str(folder))) as server:
        monkeypatch.setattr(machine, "RELEASES", f"http://127.0.0.1:{server.server_port}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield folder
        server.shutdown()


def release_of(tool: Tool, releases: Path) -> Path:
    return releases / ("plugins" if tool.plugin else "sdk") / machine.archive(tool)


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def set_pin(tool: Tool, checksum: str) -> None:
    checksums.TABLE.write_text(checksums.write({machine.archive(tool): checksum}))


@pytest.mark.parametrize("tool", [PULUMI, COMMAND], ids=["the CLI", "a plugin"])
def test_a_release_with_its_pinned_checksum_is_taken(tool: Tool, releases: Path) -> None:
    set_pin(tool, sha256(release_of(tool, releases)))
    with store.lock(0, print):
        downloading.download(tool, print)
    kept = store.folder(tool, Source.DOWNLOAD)
    assert sorted(path.name for path in kept.iterdir()) == sorted(tool.files)


@pytest.mark.parametrize("tool", [PULUMI, COMMAND], ids=["the CLI", "a plugin"])
@pytest.mark.parametrize("change", ["the file", "the checksum", "no checksum"])
def test_a_release_without_its_pinned_checksum_is_neither_unpacked_nor_run(
    tool: Tool, change: str, releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = release_of(tool, releases)
    expected = sha256(release)
    if change == "the file":
        archive(release, *tool.files, "more")
    if change == "the checksum":
        expected = "0" * 64
    if change != "no checksum":
        set_pin(tool, expected)
    unpacked: list[str] = []
    monkeypatch.setattr(downloading, "unpack", lambda *_: unpacked.append("something"))
    with store.lock(0, print), pytest.raises(checksums.ChecksumError) as error:
        downloading.download(tool, print)
    for part in (sha256(release), "none" if change == "no checksum" else expected, machine.address(tool)):
        assert part in str(error.value)
    assert not unpacked
    assert not (release.parent / "ran").exists()
    assert [path.name for path in store.root().iterdir()] == ["lock"]


def test_a_release_that_is_cut_off_is_a_failed_download(
    releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_pin(PULUMI, sha256(release_of(PULUMI, releases)))
    monkeypatch.setattr(Server, "missing", 1)
    with store.lock(0, print), pytest.raises(downloading.DownloadError, match="was cut off"):
        downloading.download(PULUMI, print)
    assert [path.name for path in store.root().iterdir()] == ["lock"]


def test_a_release_that_is_not_there_is_a_failed_download(releases: Path) -> None:
    release_of(COMMAND, releases).unlink()
    set_pin(COMMAND, "0" * 64)
    with store.lock(0, print), pytest.raises(downloading.DownloadError, match="404"):
        downloading.download(COMMAND, print)


def test_what_was_downloaded_before_it_was_pinned_is_not_used(releases: Path) -> None:
    seen = [store.folder(PULUMI, Source.DOWNLOAD)]
    for checksum in ("0" * 64, sha256(release_of(PULUMI, releases))):
        set_pin(PULUMI, checksum)
        seen.append(store.folder(PULUMI, Source.DOWNLOAD))
    assert len(set(seen)) == len(seen)


def provided(monkeypatch: pytest.MonkeyPatch) -> dict[str, Source]:
    """Where each tool comes from on a machine that has Go and nothing else; nothing is really built."""
    sources: dict[str, Source] = {}

    def note(tool: Tool, choice: Choice) -> list[Row]:
        sources[tool.name] = choice.source
        return []

    monkeypatch.setattr(machine, "go", lambda: GO)
    monkeypatch.setattr(building, "build", lambda *_: None)
    monkeypatch.setattr(checkout, "link", lambda *_: None)
    monkeypatch.setattr(__main__, "report", note)
    with store.lock(0, print):
        __main__.provide([PULUMI, COMMAND, DOCKER])
    return sources


def test_what_has_no_checksum_is_built_though_it_could_be_downloaded(
    releases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_pin(PULUMI, sha256(release_of(PULUMI, releases)))
    assert provided(monkeypatch) == {
        "pulumi": Source.DOWNLOAD,
        "command": Source.BUILD,
        "docker": Source.BUILD,
    }


def test_a_wrong_checksum_ends_the_run_with_both(
    releases: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_pin(PULUMI, "0" * 64)
    monkeypatch.setattr(machine, "go", lambda: GO)
    monkeypatch.setattr(checkout, "recall", lambda *_: None)
    assert __main__.main() == 1
    said = capsys.readouterr().err
    assert "0" * 64 in said
    assert sha256(release_of(PULUMI, releases)) in said


def test_without_a_checksum_and_without_go_the_error_says_how_to_add_one(releases: Path) -> None:
    refusal = __main__.unpinned(DOCKER)
    with pytest.raises(NoSourceError, match=r"no checksum of pulumi-resource-docker-v5.*toolchain\.pin"):
        choose(DOCKER, offers(unreachable=refusal, go=None))


@pytest.mark.parametrize(
    "text",
    ["0123  a.tar.gz\n", "# " + "0" * 64 + "  a\n", f"{'0' * 64} a\n", f"{'0' * 64}  a\n{'1' * 64}  a\n"],
)
def test_a_damaged_table_of_checksums_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="not a sha256"):
        checksums.read(text)


def test_the_table_has_only_releases_that_the_project_wants() -> None:
    text = checksums.TABLE.read_text()
    table = checksums.read(text)
    wanted = tools((HERE.parent / "requirements.txt").read_text())
    assert set(table) <= {tool.archive(*platform) for tool in wanted for platform in PLATFORMS}
    assert checksums.write(table) == text
    # Of one tool the same on all platforms: no user is the one who gets what nobody compares.
    for tool in wanted:
        assert len({tool.archive(*platform) in table for platform in PLATFORMS}) == 1


def release(tool: Tool, checksum: str) -> dict[str, object]:
    names = [tool.archive(*platform) for platform in PLATFORMS]
    return {"assets": [{"name": name, "digest": f"sha256:{checksum}"} for name in names]}


@pytest.fixture
def github(releases: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Tool, object], None]:
    """Publishes a tool's release on the server, as GitHub's API describes one."""
    monkeypatch.setattr(pin, "API", machine.RELEASES)
    monkeypatch.setattr(pin, "tools", lambda _: (COMMAND, DOCKER))

    def publish(tool: Tool, described: object) -> None:
        file = releases / f"pulumi-{tool.name}/releases/tags/v{tool.version}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(described))

    return publish


def test_pins_are_what_github_tells_of_the_wanted_releases(
    github: Callable[[Tool, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    set_pin(COMMAND, "a" * 64)
    github(COMMAND, release(COMMAND, "a" * 64))
    github(DOCKER, release(DOCKER, "b" * 64))
    assert pin.main() == 0
    table = checksums.read(checksums.TABLE.read_text())
    assert table == {
        tool.archive(*platform): checksum * 64
        for tool, checksum in ((COMMAND, "a"), (DOCKER, "b"))
        for platform in PLATFORMS
    }
    assert machine.archive(COMMAND) not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("described", "said"),
    [
        (release(DOCKER, "b" * 64), "changed after their release"),
        ({"assets": [{"name": "pulumi-docker_checksums.txt", "digest": None}]}, "tells no sha256 of"),
        ({"message": "something else"}, "tells no sha256 of"),
        (None, "404"),
    ],
)
def test_a_release_that_changed_or_tells_too_little_changes_no_pin(
    described: object,
    said: str,
    github: Callable[[Tool, object], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_pin(DOCKER, "a" * 64)
    before = checksums.TABLE.read_text()
    github(COMMAND, release(COMMAND, "c" * 64))
    if described:
        github(DOCKER, described)
    assert pin.main() == 1
    assert said in capsys.readouterr().err
    assert checksums.TABLE.read_text() == before


@pytest.fixture
def dot_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the checkout's .tools/."""
    monkeypatch.setattr(checkout, "FOLDER", tmp_path)
    monkeypatch.setattr(checkout, "BIN", tmp_path / "bin")
    monkeypatch.setattr(checkout, "HOME", tmp_path / "home")
    monkeypatch.setattr(checkout, "_MEMORY", tmp_path / "chosen.json")
    return tmp_path


def test_links_lead_to_the_latest_choice_and_plugins_of_other_versions_go(dot_tools: Path) -> None:
    plugins = dot_tools / "home/plugins"
    for version in ("5.1.0", "5.2.0", "5.2.0"):
        docker = tools(REQUIREMENTS.replace("5.2.0", version))[2]
        checkout.link(docker, dot_tools / version)
        # Pulumi puts such a mark beside each plugin that it uses.
        (plugins / f"resource-docker-v{version}.lastused").touch()
    assert [path.name for path in plugins.glob("*/")] == ["resource-docker-v5.2.0"]
    linked = plugins / "resource-docker-v5.2.0/pulumi-resource-docker"
    assert linked.readlink() == dot_tools / "5.2.0/pulumi-resource-docker"


def test_a_choice_is_recalled_until_what_it_was_made_from_changes(dot_tools: Path) -> None:
    rows = [Row("pulumi-resource-docker", "5.2.0", "installed", "fits", "/x")]
    docker = executable(dot_tools / "store/pulumi-resource-docker")
    checkout.link(DOCKER, docker.parent)
    checkout.remember("now", rows)
    assert checkout.recall("now", [DOCKER]) == rows
    assert checkout.recall("later", [DOCKER]) is None
    docker.unlink()
    assert checkout.recall("now", [DOCKER]) is None


@pytest.mark.parametrize("memory", ["", "{", "[]", '{"fingerprint": "now", "rows": [{}]}'])
def test_a_damaged_memory_is_forgotten(dot_tools: Path, memory: str) -> None:
    (dot_tools / "chosen.json").write_text(memory)
    assert checkout.recall("now", []) is None


def test_a_pulumi_home_of_the_user_that_hides_a_plugin_is_warned_of(tmp_path: Path) -> None:
    inside = tmp_path / "plugins/resource-docker-v5.2.0/pulumi-resource-docker"
    row = Row("pulumi-resource-docker", "5.2.0", "installed", "fits", str(inside))
    assert advice([row], None) == ""
    assert advice([row], str(checkout.HOME)) == ""
    assert advice([row], str(tmp_path)) == ""
    assert "has no pulumi-resource-docker 5.2.0. Unset it" in advice([row], "/elsewhere")
