# shellcheck shell=sh
# Says of each service why it hasn't settled, or won't: its tasks, and the last lines of the one that is why.
: "${tell?}" "${widest?}" "${escape?}" "${carriage?}"
# What services say goes into logs, which terminals and CI systems read: `harmless` lets through no escape
# sequence and nothing but ASCII (a plugin takes UTF-8 alone, and services write anything), in short lines.
# `##` begins a pipeline's command anywhere in a line, `::` where it begins, and no service's words do.
harmless() {
  LC_ALL=C sed -e "s/$escape\\[[0-?]*[ -\\/]*[@-~]//g" -e "s/$carriage\$//" |
    LC_ALL=C tr -c '\11\12\40-\176' '?' | cut -c "-$widest" |
    sed -e :again -e 's/##/# #/' -e 't again'
}
# Arguments: the verdict, what was seen, the seconds that it took.
report() {
  printf '%s\n' "$1" | grep -v '^runs' | while read -r kind name why; do
    case $kind in fails) kind="doesn't settle" ;; *) kind="hasn't settled" ;; esac
    echo "service $name $kind after $3 s: $why"
    tasks=$(printf '%s\n' "$2" | awk -v name="$name" "$tell")
    printf '%s\n' "$tasks" | cut -f 2
    task=$(printf '%s\n' "$tasks" | cut -f 1 | grep -v -m 1 -e '^-' -e '^$') || continue
    lines=$(timeout -s KILL 10 docker service logs --raw --tail 5 "$task" 2>&1) || true
    [ -n "$lines" ] || continue
    echo "  its last lines, in its own words:"
    printf '%s\n' "$lines" | sed 's/^/    | /'
  done | harmless >&2
}
