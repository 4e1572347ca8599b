"""How long a swarm is without a Leader when its Leader fails: `python3 -m benchmarks.elections`."""
