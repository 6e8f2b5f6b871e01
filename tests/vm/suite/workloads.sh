#!/bin/bash
# tests/workloads on version 2 of the control groups and with every capability:
# programs under the default profile, and the calls that it refuses. Postgres,
# Node, Git and apt are left out: they take minutes here, and the host runs them.
# disk: workloads
# limit: 600
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
run tests/workloads/run "$BATTEN" "$BATTEN_RUNTIME" sh nginx python3 redis
exits 0
for program in sh nginx python3 redis; do says "ok: $program under the default profile"; done
says "calls refused inside"
says "the kernel answers what explain says"
