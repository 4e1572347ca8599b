# shellcheck shell=sh
# What a host tells of itself, a fact a line, up to an empty one. Every preview runs it on every host: so it
# starts few programs, and none for what the shell can do.
: "${data_root?}" "${tools?}"
PATH=$PATH:/usr/sbin:/sbin
date +'clock %s.%N'
while read -r path time; do
  case $path in /proc/1) echo "booted $time" ;; ?*) echo "started $time" ;; esac
done <<END
$(stat -c '%n %Y' /proc/1 /run/docker.pid 2>/dev/null)
END
stat -f -c 'free %a %S' "$data_root" 2>/dev/null
# The first of the file, which is the host's own.
certificate=''
{
  while read -r line; do
    case $line in
      -*END*) break ;;
      -*) ;;
      *) certificate=$certificate$line ;;
    esac
  done <"$data_root/swarm/certificates/swarm-node.crt"
} 2>/dev/null
[ -z "$certificate" ] || echo "certificate $certificate"
for tool in $tools; do
  command -v "$tool" >/dev/null || echo "lacks $tool"
done
# As the scripts use them, which some BusyBoxes don't know. Locked for others, too: probes come side by side.
timeout -s KILL 9 flock -s -n 9 9</ 2>/dev/null || {
  timeout -s KILL 9 true 2>/dev/null || echo "lacks timeout"
  flock -s -n 9 9</ 2>/dev/null || echo "lacks flock"
}
. ./kernel.sh
kernel overlay /sys/fs/overlay OVERLAY_FS
kernel vxlan /sys/module/vxlan VXLAN
kernel br_netfilter /proc/sys/net/bridge BRIDGE_NETFILTER
kernel ip_vs /proc/net/ip_vs IP_VS
kernel ip_vs_rr /sys/module/ip_vs_rr IP_VS_RR
while read -r net rest; do
  [ -z "$net" ] || echo "route $net $rest"
done <<END
$(ip -4 route show 2>/dev/null)
END
echo
