# shellcheck shell=sh
# Waits until the services of a stack have settled, or says why they haven't (docs/adr/0004).
: "${seconds?}" "${steadily?}" "${unplaced?}" "${failures?}" "${changed?}"
: "${of_services?}" "${of_tasks?}" "${judge?}"
. ./prelude.sh
. ./asking.sh
. ./report.sh
look() {
  ask docker service inspect --format "$of_services" "$@" &&
    ask docker service ps --no-trunc --format "$of_tasks" "$@"
}
failures() { printf '%s\n' "$seen" | awk -F '\t' '$6 ~ /^(Failed|Rejected)/ { print $2, $3 }' | sort -u; }
failing_slots() {
  printf '%s\n' "$failed" | grep -vxF -e "$before" | cut -d ' ' -f 1 | sort | uniq -c |
    awk -v most="$failures" '$1 >= most { printf " %s ", $2 }'
}
settle() {
  began=$(date +%s) last='' running='' took=0
  seen=$(look "$@")
  before=$(failures) failed=$before
  while :; do
    failed=$({ printf '%s\n' "$failed"; failures; } | sort -u)
    verdict=$(printf '%s\n' "$seen" | awk -v changed=" $changed " -v failing="$(failing_slots)" "$judge")
    now=$(date +%s)
    [ "$running" = "${verdict##*runs}" ] || steady=$now running=${verdict##*runs}
    if [ "$verdict" != "$last" ]; then
      since=$now last=$verdict
      late=$(printf '%s\n' "$verdict" |
        awk -F '\t' '$1 == "waits" { printf "%s%s: %s", between, $2, $3; between = "; " }')
      [ -z "$late" ] || say "waiting for $late"
    fi
    [ "$((now - since))" -lt "$unplaced" ] ||
      verdict=$(printf '%s\n' "$verdict" | sed '/no suitable node/s/^waits/fails/')
    case $verdict in
      fails* | *"
fails"*) report "$verdict" "$seen" "$((now - began))"; exit 1 ;;
      waits*)
        [ "$((now - began))" -lt "$seconds" ] || {
          report "$verdict" "$seen" "$((now - began))"
          say "that is all the time that there was; for more: pulumi config set swarm:settleTimeout 20m"
          exit 1
        } ;;
      *) [ "$((now - steady))" -lt "$steadily" ] || return 0 ;;
    esac
    # On a slow manager, which a look takes seconds of: as long without one.
    [ "$took" -gt 0 ] || took=0.5
    sleep "$took"
    asked=$(date +%s)
    seen=$(look "$@")
    took=$(($(date +%s) - asked))
  done
}
