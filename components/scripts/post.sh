# shellcheck shell=sh
# The Docker client takes a token by argument only, where every user of the host can read it, and no labels
# for a swarm: so requests go to the Engine's API, written by the shell's own printf.
post() {
  answer=$(printf '%s\r\n' "POST $1 HTTP/1.1" 'Host: docker' 'Connection: close' \
    'Content-Type: application/json' "Content-Length: ${#2}" '' "$2" |
    docker system dial-stdio) || true
  case $answer in
    "HTTP/1.1 200"*) return 0 ;;
    "") answer="message its Docker Engine gave no answer" ;;
  esac
  say "Docker: ${answer##*message}"
  return 1
}
