#!/bin/sh
# mmdebstrap's hook: makes the root file system in $1 a machine's that Vagrant can use.
set -eu
root=$1

# Vagrant's conventions for boxes: this user, root's rights without a password, and the published key that
# Vagrant replaces by one of the machine's own when it first starts.
chroot "$root" useradd --create-home --shell /bin/bash vagrant
echo 'vagrant ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/vagrant"
mkdir "$root/home/vagrant/.ssh"
cat /usr/share/rubygems-integration/all/gems/vagrant-*/keys/vagrant.pub >"$root/home/vagrant/.ssh/authorized_keys"
chmod -R go= "$root/home/vagrant/.ssh"
chroot "$root" chown -R vagrant: /home/vagrant/.ssh

# Every machine makes a host key of its own: one, as the others take minutes under emulation.
rm -f "$root"/etc/ssh/ssh_host_*
mkdir -p "$root/etc/systemd/system/ssh.service.d"
cat >"$root/etc/systemd/system/ssh.service.d/host-key.conf" <<'EOF'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'f=/etc/ssh/ssh_host_ed25519_key; [ -f $f ] || ssh-keygen -q -t ed25519 -N "" -f $f'
ExecStartPre=/usr/sbin/sshd -t
EOF
# The cheapest key exchanges that Vagrant and OpenSSH know: under emulation a connection is mostly arithmetic.
cat >"$root/etc/ssh/sshd_config.d/machine.conf" <<'EOF'
HostKey /etc/ssh/ssh_host_ed25519_key
KexAlgorithms curve25519-sha256,ecdh-sha2-nistp256
UseDNS no
EOF

cat >"$root/etc/systemd/network/eth0.network" <<'EOF'
[Match]
Name=eth0
[Network]
DHCP=ipv4
EOF
chroot "$root" systemctl --quiet enable systemd-networkd.service
# libvirt's own, which says at once that a name is unknown. Of the computer that builds the box mmdebstrap leaves
# the one that is used there: machines can't reach it, and Docker waits 20 s for it at each service it creates.
echo 'nameserver 192.168.121.1' >"$root/etc/resolv.conf"
echo debian >"$root/etc/hostname"
echo '127.0.0.1 localhost debian' >"$root/etc/hosts"

# Docker starts when it has been told where to pull from; the rest only costs time.
for unit in docker.service docker.socket containerd.service; do
  chroot "$root" systemctl --quiet disable "$unit"
done
# From then on no devices come and go but the interfaces of containers. Docker sets those up itself; that udev
# looks at each of them, too, costs more than all else that systemd does for a container. And crun takes less of
# the processor's time for one than runc does (docs/adr/0012-slow-machines.md).
mkdir -p "$root/etc/systemd/system/docker.service.d"
cat >"$root/etc/systemd/system/docker.service.d/machine.conf" <<'EOF'
[Service]
ExecStartPre=systemctl stop "systemd-udevd*"
Environment="DOCKER_OPTS=--add-runtime=crun=/usr/bin/crun --default-runtime=crun"
EOF
chroot "$root" systemctl --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
  e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-timesyncd.service getty@tty1.service
