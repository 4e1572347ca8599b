"""From hosts to a swarm and back: what Make's verbs do around Pulumi's."""

from __future__ import annotations

from operations import pulumi_cli, recover, verify


def up(stack: str) -> int:
    """Makes the swarm, whatever an earlier run left; gives the exit code of the checks that follow."""
    pulumi_cli.select(stack)
    recover.main(stack)
    pulumi_cli.shown(*pulumi_cli.UP, "--stack", stack)
    return verify.main(stack, json=False)


def preview(stack: str) -> None:
    """Whether there is nothing to change. ShownError: there is."""
    pulumi_cli.shown(*pulumi_cli.PREVIEW, "--stack", stack)


def destroy(stack: str) -> None:
    """Has every host leave that is known to be in the swarm."""
    recover.main(stack)
    pulumi_cli.shown(*pulumi_cli.DESTROY, "--stack", stack, **pulumi_cli.DESTROYING)
