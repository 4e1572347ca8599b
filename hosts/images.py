"""The images of a lab, built from Debian packages and kept in the container engine.

An image's tag is a hash of its recipe: what was built once on a machine serves every checkout,
and a changed recipe is another image.
"""

import hashlib
import json
import os
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from hosts.containers import Engine
from hosts.machine import AS_ROOT, install, machine_lock, run, step
from hosts.registry_storage import add_file, add_image
from swarm.errors import LabError, StatusError

PACKAGES = {"mmdebstrap", "debian-archive-keyring"}
PUBLIC_REGISTRY = "https://registry-1.docker.io/v2/"

# Nobody reads these in a container; perl only comes along for the packages' scripts.
UNREAD = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*")
UNRUN = ("/usr/share/perl/*", "/usr/lib/*/perl/*", "/usr/lib/*/gconv/*")


@dataclass(frozen=True)
class Recipe:
    """A root file system from Debian packages, and what runs in it."""

    name: str
    suite: str
    packages: Sequence[str]
    # Added to the packages' files, or instead of them, executable.
    files: Mapping[str, str]
    # As in the OCI image specification: Cmd, Entrypoint and so on.
    config: Mapping[str, Any]
    # How mmdebstrap installs: `essential` configures packages, `extract` only unpacks them.
    variant: str = "extract"
    excluded: Sequence[str] = (*UNREAD, *UNRUN)
    # Shell of mmdebstrap's, the root file system is $1.
    hooks: Sequence[str] = ()


def redis(version: str, suite: str) -> Recipe:
    """What the public registry calls redis:VERSION."""
    return Recipe(
        name=f"redis:{version}",
        suite=suite,
        # apt refuses when the suite has another version: the tag cannot lie.
        packages=("base-files", "coreutils", "dash", f"redis-server=5:{version}-*"),
        files={
            # As there, other hosts are served without a password, whatever the arguments.
            "usr/local/bin/redis-server": '#!/bin/sh\nexec /usr/bin/redis-server "$@" --protected-mode no\n'
        },
        config={"Cmd": ["redis-server"], "WorkingDir": "/data"},
    )


def nginx(version: str, suite: str) -> Recipe:
    """What the public registry calls nginx:VERSION."""
    return Recipe(
        name=f"nginx:{version}",
        suite=suite,
        packages=("base-files", "coreutils", "curl", "dash", f"nginx-light={version}-*"),
        files={
            "etc/passwd": "root:x:0:0::/root:/bin/sh\nwww-data:x:33:33::/:/bin/false\n",
            "etc/group": "root:x:0:\nwww-data:x:33:\n",
            "etc/nginx/nginx.conf": "user www-data;\n"
            "error_log /dev/stderr;\n"
            "events {}\n"
            "http {\n"
            "    include mime.types;\n"
            "    access_log /dev/stdout;\n"
            "    include conf.d/*.conf;\n"
            "}\n",
            "etc/nginx/conf.d/default.conf": "server {\n    listen 80;\n    root /usr/share/nginx/html;\n}\n",
        },
        # -e: before it has read its configuration, nginx logs to a folder that scripts make.
        config={
            "Cmd": ["nginx", "-e", "/dev/stderr", "-g", "daemon off;"],
            "StopSignal": "SIGQUIT",
        },
    )


def haproxy(version: str, suite: str) -> Recipe:
    """What the public registry calls haproxy:VERSION."""
    return Recipe(
        name=f"haproxy:{version}",
        suite=suite,
        packages=("base-files", "coreutils", "dash", f"haproxy={version}-*"),
        files={},
        # As there: the file, the user without rights, and the signal after which requests are finished.
        config={
            "Cmd": ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
            "User": "99:99",
            "StopSignal": "SIGUSR1",
        },
    )


SERVICES = (
    redis("7.0.15", "bookworm"),
    redis("8.0.2", "trixie"),
    nginx("1.26.3", "trixie"),
    haproxy("3.0.11", "trixie"),
)

NODE = Recipe(
    name="node",
    suite="trixie",
    packages=(
        *("docker.io", "docker-cli", "openssh-server", "ca-certificates"),
        *("iproute2", "iptables", "nftables", "procps", "kmod"),
    ),
    files={"usr/local/sbin/node": Path(__file__).with_name("node.sh").read_text()},
    config={"Entrypoint": ["/usr/local/sbin/node"]},
    variant="essential",
    excluded=UNREAD,
    # Every node makes host keys of its own.
    hooks=('rm "$1"/etc/ssh/ssh_host_*',),
)

REGISTRY = Recipe(
    name="registry",
    suite="trixie",
    packages=("base-files", "docker-registry"),
    files={
        "etc/docker/registry/config.yml": "version: 0.1\n"
        "storage: {filesystem: {rootdirectory: /var/lib/docker-registry}}\n"
        "http: {addr: ':80'}\n"
    },
    config={"Cmd": ["docker-registry", "serve", "/etc/docker/registry/config.yml"]},
)


def public_registry_answers() -> bool:
    """Whether nodes can pull from the public registry: it answers directly, within seconds."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(PUBLIC_REGISTRY, timeout=3).close()
    except urllib.error.HTTPError as error:
        # Asked without a token the registry answers 401; anything else is not the registry.
        return error.code == 401
    except OSError:
        return False
    return True


def node_image(engine: Engine) -> str:
    """The image of a node, by a name to run; built where this machine has it not."""
    return _image(engine, NODE, ())


def registry_image(engine: Engine) -> str:
    """The image of a registry that holds the services' images; built likewise."""
    return _image(engine, REGISTRY, SERVICES)


def _image(engine: Engine, recipe: Recipe, services: Sequence[Recipe]) -> str:
    # `localhost`: no engine ever asks a registry for it.
    image = f"localhost/pulumi-swarm/{recipe.name}:{key(recipe, services)}"
    if engine.has_image(image):
        return image
    with machine_lock(recipe.name, f"building the image {recipe.name}"):
        if not engine.has_image(image):
            install(PACKAGES)
            _build(engine, image, recipe, services)
    return image


def _build(engine: Engine, image: str, recipe: Recipe, services: Sequence[Recipe]) -> None:
    with root_file_system(recipe, services) as rootfs, step(f"image {recipe.name}, into {engine.name}"):
        change = [f"{name.upper()} {json.dumps(value)}" for name, value in recipe.config.items()]
        engine("import", *(f"--change={c}" for c in change), "-", image, stdin=rootfs)


def key(recipe: Recipe, services: Sequence[Recipe] = ()) -> str:
    """A short name that changes with the recipes."""
    recipes = json.dumps([asdict(r) for r in (recipe, *services)], sort_keys=True)
    return hashlib.sha256(recipes.encode()).hexdigest()[:12]


def root_file_system(recipe: Recipe, services: Sequence[Recipe] = ()) -> BinaryIO:
    """The recipe's root file system, with the services' images in a registry's storage.

    A tar in a file without a name, gone when closed.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rootfs, *layers = pool.map(bootstrap, (recipe, *services))
    if layers:
        with tarfile.open(fileobj=rootfs, mode="a:") as tar:
            for service, layer in zip(services, layers, strict=True):
                with layer:
                    name, _, tag = service.name.partition(":")
                    add_image(tar, name, tag, layer, service.config)
    rootfs.seek(0)
    return rootfs


def bootstrap(recipe: Recipe) -> BinaryIO:
    """The recipe's root file system: a tar in a file without a name, gone when closed."""
    command = [*AS_ROOT, "mmdebstrap", f"--variant={recipe.variant}"]
    command += [f"--include={','.join(recipe.packages)}", "--dpkgopt=force-unsafe-io"]
    # The recipe's files are instead of the packages': a layer has no path twice.
    excluded = [*recipe.excluded, *(f"/{path}" for path in recipe.files)]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in excluded]
    command += [f"--customize-hook={hook}" for hook in recipe.hooks]
    rootfs = tempfile.TemporaryFile(dir="/var/tmp")  # noqa: SIM115 (the caller closes it)
    with step(f"image {recipe.name}, from Debian {recipe.suite}"):
        try:
            run(*command, recipe.suite, "-", stdout=rootfs)
        except StatusError as error:
            # The first complaint is the cause; what follows is mmdebstrap tidying up.
            causes = [line for line in error.stderr.splitlines() if line.startswith("E: ")]
            raise LabError(
                f"the image {recipe.name} can't be built from Debian {recipe.suite}",
                f"{causes[0] if causes else error.stderr} "
                f"(where Debian has another version by now, set that one in {__file__})",
            ) from None
        rootfs.seek(0)
        with tarfile.open(fileobj=rootfs, mode="a:") as tar:
            for path, text in recipe.files.items():
                add_file(tar, path, text.encode(), mode=0o755)
    rootfs.seek(0)
    return rootfs
