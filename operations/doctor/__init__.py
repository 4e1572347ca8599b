"""Whether hosts are fit for a swarm: each by itself, and between each other."""
