# shellcheck shell=sh
# In a mount namespace of its own, in which what it binds is seen by nobody else. It must not outlive the tests,
# however they end: the next ones want its address.
: "${folder?}" "${sshd?}"
mount --bind "$folder/run" /run
mount --bind "$folder/var-lib" /var/lib
exec "$sshd" -D -E "$folder/log" -f "$folder/sshd_config"
