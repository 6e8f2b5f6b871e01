#!/bin/bash
# Live recordings by BPF on another kernel, which lets a program behind cap_capable: what it asks only itself does not count.
# limit: 600
. vm-test

rust_suite record live::the_capabilities_that live::a_snippet_holds
