# shellcheck shell=sh
# The Docker client as one who may not open its socket. As root a socket is never denied: so without what makes
# root of root, and the socket somebody else's.
: "${docker?}"
exec setpriv --bounding-set=-dac_override,-dac_read_search "$docker" "$@"
