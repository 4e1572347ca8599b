# shellcheck shell=sh
# Makes a network, for as long as its session lasts. Arguments: its name, and the seconds after which it goes
# by itself. Containers may take some seconds to leave it.
end() {
  rounds=0
  until docker network rm "$1" >/dev/null 2>&1 || [ "$rounds" -ge 60 ]; do
    rounds=$((rounds + 1))
    sleep 0.5
  done
}
trap 'end "$1"' EXIT
trap 'exit 1' HUP INT TERM
docker network create --driver overlay --attachable "$1" >/dev/null || exit
echo ready
timeout "$2" cat >/dev/null
