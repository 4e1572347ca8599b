"""The acceptance pipeline: from no machines to a swarm that is tried in every way, and back."""
