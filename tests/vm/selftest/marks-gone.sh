# In the same machine, after marks.sh.
. vm-test

claim "nothing of it is left"
that test ! -e /etc/left
that test ! -e /run/left
that test ! -e /sys/class/net/left
that test ! -e /sys/fs/cgroup/left
run cat /sys/kernel/security/apparmor/profiles
omits left
run pidof sleep
fails
