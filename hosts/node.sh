#!/bin/sh
# PID 1 of a node: sshd and dockerd, each started again when it ends, as on a real host.
# Arguments: dockerd's options. AUTHORIZED_KEY: the public key that may log in as root.
set -eu

# A daemon stays away while /run/NAME.off is there, as a service that was stopped.
forever() {
    while :; do
        until [ ! -e "/run/${1##*/}.off" ]; do sleep 0.2; done
        "$@" || echo "$1 ended with status $?" >&2
        sleep 1
    done
}

# dockerd makes cgroups for its containers below this container's own.
cgroups=/sys/fs/cgroup
if [ -f "$cgroups/cgroup.controllers" ]; then
    # Version 2 hands controllers down only from a group that holds no processes.
    mkdir -p "$cgroups/node"
    while read -r pid; do
        echo "$pid" >"$cgroups/node/cgroup.procs" 2>/dev/null || true
    done <"$cgroups/cgroup.procs"
    sed 's/^/+/; s/ / +/g' "$cgroups/cgroup.controllers" >"$cgroups/cgroup.subtree_control"
else
    for hierarchy in "$cgroups"/*/; do
        mount -o remount,bind,rw "$hierarchy"
    done
fi
# As systemd leaves it on a host: mounts made by containers are seen by the others.
mount --make-rshared /

# The host key is made at the first start and kept: a restarted host is the same host.
# It is moved into place, its public half last: whoever waits for that finds all of it.
key=/etc/ssh/ssh_host_ed25519_key
if [ ! -f "$key.pub" ]; then
    rm -f "$key.new" && ssh-keygen -q -t ed25519 -N '' -f "$key.new"
    mv "$key.new" "$key" && mv "$key.new.pub" "$key.pub"
fi
mkdir -p /root/.ssh
echo "$AUTHORIZED_KEY" >/root/.ssh/authorized_keys

# /run is a tmpfs: no pid file of an earlier life keeps a daemon from starting.
mkdir -p /run/sshd
# The traffic stays on this machine. What clients choose first is to outlast quantum computers, and takes
# an ssh of Debian 12 eight times the processor time.
forever /usr/sbin/sshd -D -o KexAlgorithms=curve25519-sha256 &
forever dockerd "$@"
