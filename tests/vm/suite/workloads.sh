#!/bin/bash
# tests/workloads on version 2 of the control groups and with every capability:
# programs under the default profile, and the calls that it refuses.
# disk: workloads
# limit: 900
. vm-test

cd "$(</vm/repository)" || exit
claim "Debian's programs are here"
rootfs=$(tests/workloads/run --where)
if ! disk workloads "$rootfs"; then
    skip "the host gave no disk of Debian's programs"
    exit
fi
that test -e "$rootfs/.complete"

claim "Debian's programs run under the default profile, and what it refuses fails"
run tests/workloads/run "$BATTEN" "$BATTEN_RUNTIME"
exits 0
for program in sh apt git nginx node postgres python3 redis; do says "ok: $program under the default profile"; done
says "calls refused inside"
says "the kernel answers what explain says"
