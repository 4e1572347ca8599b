"""What the environment of a run may not have in it, because it would lead astray or give away."""

from __future__ import annotations

import os
import re

from swarm.declare.reader import Reader

SHARED_STACKS = ("lab", "dev")  # their passphrase is published in env.sh
PUBLISHED_PASSPHRASE = "a-published-passphrase-for-lab-and-dev"  # noqa: S105
# What the Docker provider takes for its own settings where we leave them out (provider.go of
# https://github.com/kreuzwerker/terraform-provider-docker). A context goes before the host that we name, and
# with certificates that host isn't reached through SSH. DOCKER_HOST and DOCKER_SSH_OPTS do nothing: we set
# both.
ASTRAY = (
    "DOCKER_CONTEXT",
    "DOCKER_CERT_PATH",
    "DOCKER_CA_MATERIAL",
    "DOCKER_CERT_MATERIAL",
    "DOCKER_KEY_MATERIAL",
)
# Variables that are the run's own: credentials of the state, of clouds, of registries, of CI.
OWN = (
    "ACTIONS_",
    "ARM_",
    "AWS_",
    "AZURE_",
    "CI_",
    "CLOUDSDK_",
    "DOCKER_",
    "GCLOUD_",
    "GH_",
    "GITHUB_",
    "GITLAB_",
    "GOOGLE_",
    "PULUMI_",
    "SSH_",
    "VAULT_",
)


def check(reader: Reader, stack: str) -> None:
    """Tells the reader of variables that would send the services elsewhere, of the passphrase that all know,
    and of a stack's name that is no name of a folder. No value is shown."""
    if not re.match(r"[A-Za-z0-9]", stack):  # Pulumi takes `..`
        rule = "the stack's name must begin with a letter or a digit: a folder in .swarm has it"
        reader.problem(f"stack {stack}", None, rule, "Rename it by `pulumi stack rename`")
    for name in (name for name in ASTRAY if os.environ.get(name)):
        rule = "is set, and the Docker provider would send services and secrets where it says"
        reader.problem(name, None, rule, f"`unset {name}`; `. ./env.sh` does it too")
    if os.environ.get("PULUMI_CONFIG_PASSPHRASE") == PUBLISHED_PASSPHRASE and stack not in SHARED_STACKS:
        rule = f"is the published one, and the secrets of stack {stack} would be readable to all"
        remedy = (
            "Set one of your own before `pulumi stack init`; a stack that is there already gets it by "
            "`pulumi stack change-secrets-provider passphrase`"
        )
        reader.problem("PULUMI_CONFIG_PASSPHRASE", None, rule, remedy)


def is_own(name: str) -> bool:
    """Whether a variable is the run's own, so that no service gets it by its name alone."""
    return name.upper().startswith(OWN)
