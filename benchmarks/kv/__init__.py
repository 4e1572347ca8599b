"""How fast the swarm's own store is, beside etcd and Redis: `python3 -m benchmarks.kv`."""
