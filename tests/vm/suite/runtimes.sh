# tests/runtimes on version 2 of the control groups, with AppArmor and every
# capability: nothing of it may be skipped here.
# limit: 600
. vm-test

rust_suite runtimes --skip lines::
