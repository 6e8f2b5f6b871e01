#!/bin/bash
# Live recordings on another kernel, of the newer runtimes: one that lets a
# program behind cap_capable, and whose clock the vDSO cannot read.
# limit: 900
. vm-test

rust_suite record live::
