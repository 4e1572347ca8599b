"""`make play`: a session on a running swarm, each step shown and checked."""
