# shellcheck shell=sh
# What passes by itself, in Docker's own words: an election, a change that came in between, a manager that is
# at a loss or begins, a network that loses what is sent while many hosts join.
passes() {
  case $1 in
    *"have a leader"* | *"lost leadership"* | *"out of sequence"* | *"Unavailable"* | *"eadline"* | \
      *"being prepared"* | *"connection error"* | *"no route to host"*) ;;
    *) return 1 ;;
  esac
}
