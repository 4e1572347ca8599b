#!/usr/bin/env bash
# A swarm as one would script it by hand, OpenSSH in parallel: what `make bench` compares with.
# It makes the swarm that the program makes, without its probes, second tries, bounds and words on errors.
#   plain_swarm.sh "NAME=ADDRESS..." "NAME=ADDRESS..." SSH...
# managers (the first one leads), workers, and the ssh command that logs in to root@ADDRESS.
set -euo pipefail
read -ra managers <<<"$1"
read -ra workers <<<"$2"
ssh=("${@:3}")
leader=${managers[0]#*=}

on() { "${ssh[@]}" "root@$1" "$2"; }
join() { on "${1#*=}" "docker swarm join --token $2 --availability $3 $leader:2377" >/dev/null; }

tokens=$(on "$leader" "
  set -e
  docker swarm init --advertise-addr $leader --availability drain \
    --default-addr-pool 10.20.0.0/16 --default-addr-pool-mask-length 24 >/dev/null
  echo plain | docker config create --label swarm.pulumi.stack=swarm/plain swarm-plain - >/dev/null
  docker swarm join-token -q manager
  docker swarm join-token -q worker")
manager_token=${tokens%%$'\n'*} worker_token=${tokens##*$'\n'}

joins=()
for node in "${managers[@]:1}"; do join "$node" "$manager_token" drain & joins+=($!); done
for node in "${workers[@]}"; do join "$node" "$worker_token" active & joins+=($!); done
for pid in "${joins[@]}"; do wait "$pid"; done

on "$leader" "
  set -e
  list() { docker node ls --format '{{.Status}} {{.ManagerStatus}}'; }
  until [ \$(list | grep -c '^Ready') = $((${#managers[@]} + ${#workers[@]})) ]; do sleep 0.3; done
  until [ \$(list | grep -cE 'Leader|Reachable') = ${#managers[@]} ]; do sleep 0.3; done
  update() { docker node update --label-add swarm.pulumi.node=\$1 --availability \$2 \$1 >/dev/null; }
  for name in ${managers[*]%%=*}; do update \$name drain; done
  for name in ${workers[*]%%=*}; do update \$name active; done"
