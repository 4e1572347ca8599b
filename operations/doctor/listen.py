"""Run on hosts, by any python3 of theirs, with SECONDS PROTOCOL/PORT... (see programs.py)."""

import re
import select
import signal
import socket
import sys

seconds, *wanted = sys.argv[1:]
signal.signal(signal.SIGALRM, lambda *_: sys.exit())
signal.alarm(int(seconds))
ears = {}
for where in wanted:
    protocol, port = where.split("/")
    tcp = protocol == "tcp"
    ear = socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM)
    try:
        if tcp:
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        ear.bind(("", int(port)))
        if tcp:
            ear.listen(128)
        ears[ear] = (where, tcp)
    except OSError as error:
        print("taken", where, error.strerror)
print("ready", flush=True)
while True:
    ready, _, _ = select.select([sys.stdin, *ears], [], [])
    if sys.stdin in ready:
        sys.exit()
    for one in [ear for ear in ears if ear in ready]:
        where, listens = ears[one]
        if listens:
            ears[one.accept()[0]] = (where, False)
            continue
        try:
            said = one.recv(65536)
        except OSError:
            said = b""
        found = re.match(rb"(\w+) ([\w-]+) ", said)
        if found:
            print("got", where, *(part.decode() for part in found.groups()), len(said), flush=True)
        if where.startswith("tcp"):
            del ears[one]
            one.close()
