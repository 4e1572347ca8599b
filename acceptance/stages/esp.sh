# shellcheck shell=sh
# Prints whether the kernel has ESP, by which Docker encrypts what goes from host to host.
modules=/lib/modules/$(uname -r)
config=$(zcat /proc/config.gz 2>/dev/null || cat "/boot/config-$(uname -r)" 2>/dev/null)
if [ -e /sys/module/esp4 ] || grep -qs '/esp4[.]ko' "$modules/modules.dep"; then echo yes
else case $config in *CONFIG_INET_ESP=[ym]*) echo yes ;; *) echo no ;; esac
fi
