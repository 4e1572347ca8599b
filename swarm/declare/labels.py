"""The labels by which nodes, swarms and services are known as ours."""

from __future__ import annotations

OWN_LABELS = "swarm.pulumi."  # what their names begin with
NAME_LABEL = "swarm.pulumi.node"
EDGE_LABEL = "swarm.pulumi.edge"
STACK_LABEL = "swarm.pulumi.stack"
OWNER_LABEL = "swarm.pulumi.owner"
NAMESPACE_LABEL = "com.docker.stack.namespace"
