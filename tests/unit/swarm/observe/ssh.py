"""A stand-in for ssh: reads the script, says its marker and the facts, then answers each request as
`answers.json` beside it has it, with [status, body]."""

import json
import pathlib
import sys
import time

told = json.loads((pathlib.Path(__file__).parent / "answers.json").read_text())
host = told.get(sys.argv[3], told)
log = (pathlib.Path(__file__).parent / "asked.log").open("a", buffering=1)
log.write(sys.argv[3] + "\n")
script = list(iter(sys.stdin.readline, "}\n"))
sys.stderr.write(host.get("stderr", ""))
sys.stderr.flush()
said = host.get("noise", "")
if "facts" in host:
    said += script[1].split()[1] + "\n" + host["facts"]
sys.stdout.buffer.write(said.encode("latin-1"))
sys.stdout.flush()
time.sleep(host.get("silence", 0))
if "paths" not in host:
    sys.exit(host.get("code", 255))
for line in sys.stdin:
    if line.startswith("GET "):
        log.write(f"{sys.argv[3]} {line.split()[1]}\n")
        status, body = host["paths"][line.split()[1]]
        text = body if isinstance(body, str) else json.dumps(body)
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(text)}\r\n\r\n"
        sys.stdout.write(head + text)
        sys.stdout.flush()
        time.sleep(host.get("pause", 0))
