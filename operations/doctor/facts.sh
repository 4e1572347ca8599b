# shellcheck shell=sh
# What a host tells the doctor. Arguments: the engine's data folder, then the other nodes' addresses or names.
PATH=$PATH:/usr/sbin:/sbin
root=$1
shift
perl -MIO::Select -MIO::Socket::INET -e 1 2>/dev/null && echo 'tool perl'
python3 -c 'import select, socket' 2>/dev/null && echo 'tool python3'
stat -f -c 'free %a %S' "$root" 2>/dev/null
for key in net.ipv4.ip_forward net.bridge.bridge-nf-call-iptables net.ipv4.neigh.default.gc_thresh3; do
  value=$(cat "/proc/sys/$(echo "$key" | tr . /)" 2>/dev/null) && echo "sysctl $key $value"
done
ip -4 -o address show | while read -r _ device _ address _; do echo "address ${address%/*} $device"; done
for peer in "$@"; do
  address=$peer
  case $peer in
    *[!0-9.]*) address=$(timeout 1 getent ahostsv4 "$peer" | { read -r one _ && echo "$one"; }) || continue ;;
  esac
  way=$(ip -4 route get "$address" 2>/dev/null) || continue
  way=${way#* dev } device=${way%% *}
  { read -r mtu <"/sys/class/net/$device/mtu"; } 2>/dev/null && echo "link $peer $device $mtu"
done
echo end
