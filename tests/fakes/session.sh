# shellcheck shell=bash
# Given by the server's configuration instead of what the client asks for, which it then runs. The command's
# standard input passes through tee; it ends when the command does.
: "${sessions?}"
kept=$(mktemp "$sessions/XXXXXXXX")
printf '%s\n' "$SSH_ORIGINAL_COMMAND" >"$kept"
exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND" < <(exec tee -a "$kept" 2>/dev/null)
