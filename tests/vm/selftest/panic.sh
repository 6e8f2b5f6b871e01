. vm-test

claim "the kernel dies of this"
echo c >/proc/sysrq-trigger
