"""What it costs: Pulumi beside a plain script, elections, the swarm's own store."""
