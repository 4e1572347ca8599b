# shellcheck shell=sh
# Makes `pulumi up`, `pulumi preview` and `pulumi destroy` work as typed, in any shell:
#   . ./env.sh
# Only what is unset is set. Run it in the project's folder.
[ -f Pulumi.yaml ] || echo "env.sh: $PWD isn't the project's folder; go there and run it again" >&2
export PATH="$PWD/.venv/bin:$PWD/.tools/bin:$PATH"
: "${PULUMI_HOME:=$PWD/.tools/home}"
: "${PULUMI_BACKEND_URL:=file://$PWD/.state}"
# Published: it protects nothing. Good enough for the throw-away stacks lab and dev; the program
# refuses it for any other.
if [ -z "${PULUMI_CONFIG_PASSPHRASE_FILE-}" ]; then
  : "${PULUMI_CONFIG_PASSPHRASE:=a-published-passphrase-for-lab-and-dev}"
  export PULUMI_CONFIG_PASSPHRASE
fi
# The engine reads services only in a refresh, and may do so only after the program has probed the
# machines and found a quorum.
: "${PULUMI_OPTION_REFRESH:=true}"
: "${PULUMI_RUN_PROGRAM:=true}"
# The project's plugins are those that `make tools` chose, not whatever is on PATH.
: "${PULUMI_IGNORE_AMBIENT_PLUGINS:=true}"
: "${PULUMI_SKIP_UPDATE_CHECK:=true}"
: "${PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION:=true}"
export PULUMI_HOME PULUMI_BACKEND_URL PULUMI_OPTION_REFRESH PULUMI_RUN_PROGRAM
export PULUMI_IGNORE_AMBIENT_PLUGINS PULUMI_SKIP_UPDATE_CHECK PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION
# The Docker provider takes these for its own settings, and would send services and secrets where they say.
if [ -n "${DOCKER_CONTEXT-}${DOCKER_CERT_PATH-}${DOCKER_CA_MATERIAL-}${DOCKER_CERT_MATERIAL-}${DOCKER_KEY_MATERIAL-}" ]; then
  echo "env.sh: unset DOCKER_CONTEXT, DOCKER_CERT_PATH and the like in this shell" >&2
fi
unset DOCKER_CONTEXT DOCKER_CERT_PATH DOCKER_CA_MATERIAL DOCKER_CERT_MATERIAL DOCKER_KEY_MATERIAL
# Keys are in these, under a passphrase that may be the published one.
if [ -f Pulumi.yaml ]; then
  mkdir -p .state .swarm
  chmod go= .state .swarm
  if [ -d .labs ]; then chmod go= .labs; fi
  if [ -d .machines ]; then chmod go= .machines; fi
fi
