#!/bin/bash
# tests/runtimes on version 2 of the control groups, with AppArmor and every capability.
# network: first
# limit: 600
. vm-test

rust_suite runtimes
