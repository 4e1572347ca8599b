# Like listen.py, where there is no python3.
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
