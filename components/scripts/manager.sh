# shellcheck shell=sh
# What a live manager does for the whole swarm, a line of calls after this: each verb with a node's name, its
# ID, and the arguments.
. ./prelude.sh
. ./asking.sh
. ./post.sh
. ./nodes.sh
. ./drain.sh
claim() {
  say "labeling the swarm as this stack's"
  until post "/swarm/update?version=$3" "$4"; do
    case $answer in
      *"out of sequence"*) say "the swarm was changed since it was probed: run it again"; exit 1 ;;
    esac
    passes "$answer" || exit 1
    sleep 0.5
  done
  shift 4
  for config in "$@"; do patiently docker config rm "$config"; done
}
swarm() {
  say "updating the swarm's settings"
  shift 2
  patiently docker swarm update "$@"
}
tokens() {
  say "reading the tokens"
  manager=$(ask docker swarm join-token -q manager)
  worker=$(ask docker swarm join-token -q worker)
  result "{\"manager\": \"$manager\", \"worker\": \"$worker\"}"
}
