#!/bin/bash
# `batten doctor`, `install` and `status` where AppArmor and version 2 of the control groups are, with Debian's engines.
# limit: 600
. vm-test

given install -D "$BATTEN_RUNTIME" /usr/local/bin/batten-runtime

claim "nothing would fail on this machine"
run batten doctor
exits 0
says "AppArmor: on"
says "control groups: version 2"
says "security modules: "
says "0 failures"

claim "a profile that the policy names and that is not loaded would fail every start, until it is loaded"
policy <<<'apparmor.profile = "fence"'
run batten doctor
exits 1
says "fence is not loaded"
given apparmor_parser --replace --skip-cache "${0%/*}/profiles/fence"
run batten doctor
exits 0
says "fence is loaded, mode enforce"

claim "batten's own profile needs nothing but the parser"
policy <<<'apparmor.profile = "builtin:default"'
run batten doctor
exits 0
says "batten's own, loaded when it is needed"

for engine in docker containerd podman; do
    claim "$engine is covered when batten is installed as its default, and not before or afterwards"
    run batten status "$engine" --fail-on default
    exits 1
    run batten install "$engine" --default
    exits 0
    run batten status "$engine" --fail-on default
    exits 0
    run batten uninstall "$engine"
    exits 0
    run batten status "$engine" --fail-on default
    exits 1
done
