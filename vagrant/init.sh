#!/bin/sh
# PID 1 of the machines' namespaces: libvirt, and a registry for what the machines pull. All ends with it.
# $1: the folder that libvirt keeps things in; $2: the registry's root file system.
set -eu
state=$1 registry=$2

# The number of this process outside, as /proc of the namespace outside has it.
read -r pid _ </proc/self/stat

mount -t proc proc /proc
# Of this network, and without the control groups outside.
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
for folder in etc var/lib var/cache var/log; do
  mkdir -p "$state/$folder" "/$folder/libvirt"
  mount --bind "$state/$folder" "/$folder/libvirt"
done
ip link set lo up

# libvirt insists on users that only the package of the system's own daemon makes.
user=libvirt-qemu
for table in passwd group; do
  cp "/etc/$table" "/run/$table"
  grep -q "^$user:" "/run/$table" || echo "$user:x:64055:$([ $table = group ] || echo 64055::/:/bin/false)" >>"/run/$table"
  mount --bind "/run/$table" "/etc/$table"
done

cat >/etc/libvirt/qemu.conf <<EOF
security_driver = "none"
user = "root"
group = "root"
cgroup_controllers = []
namespaces = []
EOF
echo 'auth_unix_rw = "none"' >/etc/libvirt/libvirtd.conf

virtlogd &
libvirtd &
libvirtd=$!
chroot "$registry" docker-registry serve /etc/docker/registry/config.yml &

until virsh --connect qemu:///system version; do
  kill -0 "$libvirtd"
  sleep 0.2
done
echo "$pid" >"$state/pid.new"
mv "$state/pid.new" "$state/pid"
wait "$libvirtd"
