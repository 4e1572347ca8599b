"""The tools that the project needs, which versions fit, and how each is built from Go modules."""

import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

PULUMI = "3.259.0"
LANGUAGE_HOST = "3.75.0"
# Where this program runs; Windows has a Linux of its own for it.
PLATFORMS = (("darwin", "amd64"), ("darwin", "arm64"), ("linux", "amd64"), ("linux", "arm64"))

Version = tuple[int, ...]


@dataclass(frozen=True)
class Recipe:
    """How one program is built: a Go module in this folder, and a package that it can see."""

    module: str
    package: str
    binary: str
    stamp: str
    """Linker variable and value that make the program state its version."""
    tags: str = ""
    beside: tuple[str, str] | None = None
    """A module of the build, and a file in it that the program expects beside itself."""


@dataclass(frozen=True)
class Tool:
    """A tool that is complete or absent: all `files` lie in one folder, the first is what is run.

    Pulumi looks for language hosts beside itself, so the Python one is part of the tool `pulumi`.
    """

    name: str
    version: str
    buildable: str
    """The version that the recipes give; another one can only be installed or downloaded."""
    files: tuple[str, ...]
    recipes: tuple[Recipe, ...]
    plugin: bool

    def archive(self, system: str, processor: str) -> str:
        """Gives the file name of the official release for, say, "linux" and "arm64"."""
        if self.plugin:
            return f"{self.files[0]}-v{self.version}-{system}-{processor}.tar.gz"
        return f"{self.name}-v{self.version}-{system}-{processor.replace('amd64', 'x64')}.tar.gz"

    def fits(self, version: str) -> bool:
        """A plugin speaks for one version of its Python package; the CLI is stable in a major."""
        if self.plugin:
            return version == self.version
        found, wanted = parse(version), parse(self.version)
        return found[:1] == wanted[:1] and found >= wanted

    @property
    def rule(self) -> str:
        """The condition of `fits`, in words."""
        if self.plugin:
            return f"{self.version}, as requirements.txt pins it"
        return f"{self.version} or a newer {parse(self.version)[0]}.x"


def parse(version: str) -> Version:
    """Gives (3, 259, 0) for "v3.259.0" or "3.259.0-alpha.1", and () for what isn't a version."""
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return tuple(int(part) for part in match.groups()) if match else ()


def pin(requirements: str, package: str) -> str:
    """Gives the version that a requirements file pins; ValueError where it pins none."""
    spelling = re.escape(package).replace("_", "[-_.]")
    match = re.search(rf"^{spelling}==([\w.]+)", requirements, re.MULTILINE | re.IGNORECASE)
    if match is None:
        raise ValueError(
            f"requirements.txt: no line `{package}==VERSION`. The plugin must be of the very "
            "version of its Python package: pin it there."
        )
    return match.group(1)


def tools(requirements: str) -> tuple[Tool, ...]:
    """Gives all tools, the plugins in the versions of the given requirements file."""
    return (
        Tool(
            name="pulumi",
            version=PULUMI,
            buildable=PULUMI,
            files=("pulumi", "pulumi-language-python"),
            recipes=(
                Recipe(
                    module="python",
                    package="github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python",
                    binary="pulumi-language-python",
                    stamp=f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{LANGUAGE_HOST}",
                    beside=(
                        "github.com/pulumi/pulumi/sdk/v3",
                        "python/cmd/pulumi-language-python-exec",
                    ),
                ),
                Recipe(
                    module="pulumi",
                    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
                    binary="pulumi",
                    stamp=f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI}",
                    tags="osusergo,grpcnotrace",
                ),
            ),
            plugin=False,
        ),
        _plugin("command", pin(requirements, "pulumi_command"), buildable="1.2.1"),
        _plugin("docker", pin(requirements, "pulumi_docker"), buildable="5.2.0", tags="no_compose"),
    )


def _plugin(name: str, version: str, buildable: str, tags: str = "") -> Tool:
    binary = f"pulumi-resource-{name}"
    recipe = Recipe(name, ".", binary, stamp=f"main.version={buildable}", tags=tags)
    return Tool(name, version, buildable, (binary,), (recipe,), plugin=True)
