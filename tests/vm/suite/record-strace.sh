#!/bin/bash
# What a newer strace prints, and what these runtimes need for themselves.
# limit: 600
. vm-test

rust_suite record traces:: profiles:: needs::
