"""A Docker Swarm as Pulumi components; `__main__.py` is the table of contents."""
