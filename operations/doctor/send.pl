# Like send.py, where there is no python3.
use strict; use IO::Socket::INET;
my ($token, $sender, @wanted) = @ARGV;
sub attempt {
  my ($way, $address, $port, $size) = split m{/}, shift;
  my $tcp = $way eq "tcp" || $way eq "connect";
  my $socket = IO::Socket::INET->new(
    Proto => $tcp ? "tcp" : "udp", PeerAddr => $address, PeerPort => $port, Timeout => 4
  ) or return $!;
  return "" if $way eq "connect";
  # IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO of Linux.
  setsockopt($socket, 0, 10, pack "i", 2) or return $! if $way eq "whole";
  my $message = "$token $sender ";
  $message .= "." x ($size - length $message);
  my $failure = "";
  for (1 .. ($tcp ? 1 : 3)) { $failure = $socket->send($message) ? "" : $! }
  return $failure;
}
for my $wanted (@wanted) {
  next if fork;
  my $failure = attempt($wanted);
  print "failed $wanted $failure\n" if $failure;
  exit;
}
1 while wait > 0;
