#!/bin/sh
# Starts the web server, and has redis count the start. A swarm starts its services in no order: the page is
# there at once, and has the count as soon as redis answers, by its name.
page=/usr/share/nginx/html/index.html

show() {
  echo "This is $NODE. Starts that redis has counted: $1" >$page
}

# Fails while redis doesn't answer. curl speaks plain TCP, until redis ends the connection.
count() {
  answers=$(printf 'AUTH %s\r\nINCR starts\r\nQUIT\r\n' "$(cat /run/secrets/redis-password)" |
    curl --silent --max-time 10 telnet://redis:6379 | tr -d '\r')
  case $answers in
    +OK*:*) show "$(echo "$answers" | tr -dc 0-9)" ;;
    *) return 1 ;;
  esac
}

show "it gives no answer yet"
until count; do sleep 2; done &
exec nginx -e /dev/stderr -g "daemon off;"
