#!/bin/sh
# Installs Docker Engine on a Debian machine, unless it is there. $1: URL of a registry to ask first, or empty;
# the other arguments: images to pull.
set -eu
mirror=$1
shift

if ! command -v dockerd >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -qq update
  # From Debian 13 on the command line is a package of its own.
  cli=$(apt-cache --names-only search '^docker-cli$' | cut -d ' ' -f 1)
  # shellcheck disable=SC2086 # nothing where there is no such package
  apt-get -qq install -y docker.io $cli >/dev/null
fi
# The way in for Pulumi.
usermod -aG docker vagrant

settings="{\"registry-mirrors\": [\"$mirror\"], \"insecure-registries\": [\"${mirror#*://}\"]}"
if [ -n "$mirror" ] && [ "$(cat /etc/docker/daemon.json 2>/dev/null)" != "$settings" ]; then
  mkdir -p /etc/docker
  echo "$settings" >/etc/docker/daemon.json
  systemctl restart docker
fi
systemctl enable --quiet --now docker

for image in "$@"; do
  docker pull --quiet "$image"
done
