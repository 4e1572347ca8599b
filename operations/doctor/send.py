"""Run on hosts, by any python3 of theirs, with TOKEN SENDER WAY/ADDRESS/PORT/SIZE... (see programs.py)."""

import os
import socket
import sys

token, sender, *wanted = sys.argv[1:]


def attempt(way: str, address: str, port: str, size: str) -> None:
    """Sends one message. OSError: it couldn't."""
    tcp = way in ("tcp", "connect")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as one:
        one.settimeout(4)
        one.connect((address, int(port)))
        if way == "connect":
            return
        if way == "whole":
            one.setsockopt(0, 10, 2)  # IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO of Linux
        message = f"{token} {sender} ".ljust(int(size), ".").encode()
        for _ in range(1 if tcp else 3):
            one.send(message)


for words in wanted:
    if os.fork():
        continue
    try:
        attempt(*words.split("/"))
    except OSError as error:
        print(f"failed {words} {error.strerror or error}", flush=True)
    os._exit(0)
for _ in wanted:
    os.wait()
