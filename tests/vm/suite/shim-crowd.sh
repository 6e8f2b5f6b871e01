#!/bin/bash
# Of tests/engines what needs no engine: many starts at once, and kill -9 of the shim at any moment.
# limit: 600
. vm-test

rust_suite engines crowd:: kills::
