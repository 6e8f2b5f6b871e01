# AppArmor's behaviour that batten's own tests and messages stand on, without
# any container. The profiles are written by hand.
. vm-test

for file in secret plain quiet; do echo "$file" >"/etc/$file"; done
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence" "${0%/*}/profiles/watch"

claim "the kernel lists profiles with their modes"
run cat /sys/kernel/security/apparmor/profiles
says "fence (enforce)"
says "watch (complain)"

claim "a process sees the profile that it runs under"
run confined fence cat /proc/self/attr/current
says "fence (enforce)"

claim "an enforced profile denies a file, and leaves the others"
run confined fence cat /etc/plain
exits 0
run confined fence cat /etc/secret
exits 1
says "Permission denied"

claim "a complaining profile lets the same file be read, and says so"
given dmesg --clear
run confined watch cat /etc/secret
exits 0
says secret
logs 'apparmor="ALLOWED" operation="open"'
says 'name="/etc/secret"'

claim "only an audited denial shows in the kernel's log"
given dmesg --clear
run confined fence cat /etc/quiet
exits 1
run confined fence cat /etc/secret
exits 1
logs 'apparmor="DENIED"'
says 'name="/etc/secret"'
omits 'name="/etc/quiet"'

claim "a denial of a complaining profile denies"
run confined watch cat /etc/quiet
exits 1
says "Permission denied"

claim "a profile that is not loaded cannot be entered"
run confined absent true
fails
says "No such file or directory"

claim "a compiled profile loads without its text"
given apparmor_parser --skip-cache --ofile /tmp/fence.bin "${0%/*}/profiles/fence"
given apparmor_parser --remove "${0%/*}/profiles/fence"
run grep "^fence " /sys/kernel/security/apparmor/profiles
fails
run apparmor_parser --binary --replace /tmp/fence.bin
exits 0
run grep "^fence " /sys/kernel/security/apparmor/profiles
says "fence (enforce)"
