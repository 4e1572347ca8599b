"""The two programs that run on hosts, in perl and in python3: a host has one or the other.

LISTEN SECONDS PROTOCOL/PORT...: opens the ports, then prints `taken PROTOCOL/PORT REASON` for those
that it couldn't, `ready`, and for each message `got PROTOCOL/PORT TOKEN SENDER OCTETS`. It ends with
its standard input, that is with the session, and after SECONDS at the latest.

SEND TOKEN SENDER WAY/ADDRESS/PORT/OCTETS...: sends to all at once; prints `failed WAY/ADDRESS/PORT/OCTETS
REASON` where it couldn't. Ways: `connect` and no more, a message by `tcp` or `udp`, or `whole`, which is
udp that no router may cut into fragments. What is sent by udp is sent three times, for it may be lost.
"""

from __future__ import annotations

CONNECT_SECONDS = 4

LISTEN_PERL = r"""
use strict; use IO::Select; use IO::Socket::INET;
my ($seconds, @wanted) = @ARGV;
$| = 1;
$SIG{ALRM} = sub { exit };
alarm $seconds;
my $open = IO::Select->new(\*STDIN);
my (%place, %listens);
for my $where (@wanted) {
  my ($protocol, $port) = split m{/}, $where;
  my @tcp = $protocol eq "tcp" ? (Listen => 128, ReuseAddr => 1) : ();
  my $socket = IO::Socket::INET->new(Proto => $protocol, LocalPort => $port, @tcp);
  if (!$socket) { print "taken $where $!\n"; next }
  $open->add($socket);
  $place{$socket} = $where;
  $listens{$socket} = @tcp;
}
print "ready\n";
while (1) {
  for my $socket ($open->can_read) {
    exit if $socket == \*STDIN;
    my $where = $place{$socket};
    if ($listens{$socket}) {
      my $caller = $socket->accept or next;
      $open->add($caller);
      $place{$caller} = $where;
      $listens{$caller} = 0;
      next;
    }
    my $said = "";
    $socket->recv($said, 65536);
    print "got $where $1 $2 ", length $said, "\n" if $said =~ /^(\w+) ([\w-]+) /;
    if ($where =~ /^tcp/) { $open->remove($socket); close $socket }
  }
}
"""

LISTEN_PYTHON = r"""
import re, select, signal, socket, sys
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
    for one in select.select([sys.stdin, *ears], [], [])[0]:
        if one is sys.stdin:
            sys.exit()
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
"""

# 0, 10, 2: IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO of Linux.
SEND_PERL = rf"""
use strict; use IO::Socket::INET;
my ($token, $sender, @wanted) = @ARGV;
sub attempt {{
  my ($way, $address, $port, $octets) = split m{{/}}, shift;
  my $tcp = $way eq "tcp" || $way eq "connect";
  my $socket = IO::Socket::INET->new(
    Proto => $tcp ? "tcp" : "udp", PeerAddr => $address, PeerPort => $port, Timeout => {CONNECT_SECONDS}
  ) or return $!;
  return "" if $way eq "connect";
  setsockopt($socket, 0, 10, pack "i", 2) or return $! if $way eq "whole";
  my $message = "$token $sender ";
  $message .= "." x ($octets - length $message);
  my $failure = "";
  for (1 .. ($tcp ? 1 : 3)) {{ $failure = $socket->send($message) ? "" : $! }}
  return $failure;
}}
for my $wanted (@wanted) {{
  next if fork;
  my $failure = attempt($wanted);
  print "failed $wanted $failure\n" if $failure;
  exit;
}}
1 while wait > 0;
"""

SEND_PYTHON = rf"""
import os, socket, sys
token, sender, *wanted = sys.argv[1:]
def attempt(way, address, port, octets):
    tcp = way in ("tcp", "connect")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as one:
        one.settimeout({CONNECT_SECONDS})
        one.connect((address, int(port)))
        if way == "connect":
            return
        if way == "whole":
            one.setsockopt(0, 10, 2)
        message = f"{{token}} {{sender}} ".ljust(int(octets), ".").encode()
        for _ in range(1 if tcp else 3):
            one.send(message)
for words in wanted:
    if os.fork():
        continue
    try:
        attempt(*words.split("/"))
    except OSError as error:
        print(f"failed {{words}} {{error.strerror or error}}", flush=True)
    os._exit(0)
for _ in wanted:
    os.wait()
"""

LISTEN = {"perl": LISTEN_PERL, "python3": LISTEN_PYTHON}
SEND = {"perl": SEND_PERL, "python3": SEND_PYTHON}
RUN = {"perl": ("perl", "-e"), "python3": ("python3", "-c")}


def listen(tool: str, seconds: int, ports: list[str]) -> list[str]:
    """The command, as words, that listens on ports such as `udp/7946`."""
    return [*RUN[tool], LISTEN[tool], str(seconds), *ports]


def send(tool: str, token: str, sender: str, targets: list[str]) -> list[str]:
    """The command, as words, that sends to targets such as `udp/10.0.0.11/7946/64`."""
    return [*RUN[tool], SEND[tool], token, sender, *targets]
