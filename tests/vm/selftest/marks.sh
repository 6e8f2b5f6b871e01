# One test of each verdict, and what is kept from the next script.
. vm-test

claim "what holds passes"
run echo hello
exits 0
says hello

claim "what does not hold fails"
run echo hello
omits hello
says goodbye

claim "a test that checks nothing fails"
run echo hello

claim "what cannot be done here is skipped"
skip "there is no such thing"

claim "something is left behind"
mkdir -p /etc/left /run/left
given mount -t tmpfs left /run/left
given ip link add left type dummy
given bash -c 'echo "profile left { file, }" | apparmor_parser --replace --skip-cache'
given mkdir /sys/fs/cgroup/left
setsid sleep 1000 &
given bash -c 'echo '$!' >/sys/fs/cgroup/left/cgroup.procs'
that pidof sleep
