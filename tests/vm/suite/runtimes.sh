# tests/runtimes on version 2 of the control groups, with AppArmor and every
# capability: all of it but what the skips below say.
# limit: 600
. vm-test

# One test asks for the host's network: a script has a network of its own here.
rust_suite runtimes --skip lines:: --skip the_host_s_network_does_not_come_in
