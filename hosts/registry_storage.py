"""A registry's storage, written without a registry.

The path layout is that of the distribution registry's filesystem driver
(github.com/distribution/distribution, registry/storage/paths.go), the documents are those
of the OCI image specification.
"""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from typing import Any, BinaryIO

ROOT = "var/lib/docker-registry/docker/registry/v2"
ARCHITECTURE = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())


def add_image(
    rootfs: tarfile.TarFile, name: str, tag: str, layer: BinaryIO, config: Mapping[str, Any]
) -> None:
    """Adds an image of one layer, an uncompressed tar, to the registry in `rootfs`.

    `config` is what the image runs: Cmd, Env and so on, in the specification's words.
    """
    layer_digest, layer_size = _measure(layer)
    _add(rootfs, _blob(layer_digest), layer, layer_size, 0o644)
    image = _add_document(
        rootfs,
        {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer_digest}"]},
        },
    )
    vendor = "application/vnd.oci.image"
    manifest = _add_document(
        rootfs,
        {
            "schemaVersion": 2,
            "mediaType": f"{vendor}.manifest.v1+json",
            "config": {
                "mediaType": f"{vendor}.config.v1+json",
                "digest": f"sha256:{image[0]}",
                "size": image[1],
            },
            "layers": [
                {
                    "mediaType": f"{vendor}.layer.v1.tar",
                    "digest": f"sha256:{layer_digest}",
                    "size": layer_size,
                }
            ],
        },
    )
    # `redis` is short for `library/redis`, as on the public registry.
    repository = f"{ROOT}/repositories/library/{name}"
    for link, digest in (
        (f"_layers/sha256/{layer_digest}", layer_digest),
        (f"_layers/sha256/{image[0]}", image[0]),
        (f"_manifests/revisions/sha256/{manifest[0]}", manifest[0]),
        (f"_manifests/tags/{tag}/current", manifest[0]),
        (f"_manifests/tags/{tag}/index/sha256/{manifest[0]}", manifest[0]),
    ):
        add_file(rootfs, f"{repository}/{link}/link", f"sha256:{digest}".encode())


def add_file(rootfs: tarfile.TarFile, path: str, content: bytes, mode: int = 0o644) -> None:
    """Adds a file of root's; its folders come by themselves when the tar is unpacked."""
    _add(rootfs, path, io.BytesIO(content), len(content), mode)


def _add_document(rootfs: tarfile.TarFile, document: dict[str, Any]) -> tuple[str, int]:
    """Adds the document as a blob; its digest and size."""
    content = json.dumps(document).encode()
    digest = hashlib.sha256(content).hexdigest()
    add_file(rootfs, _blob(digest), content)
    return digest, len(content)


def _measure(content: BinaryIO) -> tuple[str, int]:
    """The digest and size of a file, which is left at its beginning."""
    digest = hashlib.sha256()
    while chunk := content.read(1 << 20):
        digest.update(chunk)
    size = content.tell()
    content.seek(0)
    return digest.hexdigest(), size


def _blob(digest: str) -> str:
    return f"{ROOT}/blobs/sha256/{digest[:2]}/{digest}/data"


def _add(rootfs: tarfile.TarFile, path: str, content: BinaryIO, size: int, mode: int) -> None:
    entry = tarfile.TarInfo(f"./{path}")
    entry.size, entry.mode = size, mode
    rootfs.addfile(entry, content)
