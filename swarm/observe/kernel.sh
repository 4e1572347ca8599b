# shellcheck shell=sh
# Whether the kernel has a module: yes, no or unknown. What tells of those that aren't in use is read once.
read -r release </proc/sys/kernel/osrelease
modules=/lib/modules/$release
known=''
configured=''
config() {
  if [ ! -e /proc/config.gz ]; then
    cat "/boot/config-$release"
  else
    gzip -cd /proc/config.gz || zcat /proc/config.gz
  fi
}
know() {
  known='in modules:'
  [ ! -e "$modules" ] || known=$known$(
    grep -Eohs '/(overlay|vxlan|br_netfilter|ip_vs(_rr)?)[.]ko' "$modules/modules.dep" "$modules/modules.builtin"
  )
  [ -e "$modules/modules.dep" ] || configured=$(config 2>/dev/null)
}
# Arguments: a module, a file that is there while the kernel has it in use, its key in the kernel's
# configuration.
kernel() {
  found=no
  if [ -e "/sys/module/$1" ] || [ -e "$2" ]; then
    found=yes
  else
    [ -n "$known" ] || know
    case $known in
      *"/$1.ko"*) found=yes ;;
      *)
        [ -e "$modules/modules.dep" ] || case $configured in
          *"CONFIG_$3=y"*) found=yes ;;
          "" | *"CONFIG_$3=m"*) found=unknown ;;
        esac ;;
    esac
  fi
  echo "kernel $1 $found"
}
