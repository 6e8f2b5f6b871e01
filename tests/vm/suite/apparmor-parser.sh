#!/bin/bash
# tests/apparmor with a parser 4.x and its ABI files: what is written for newer parsers is taken as well.
. vm-test

claim "the parser here is newer than the one of Debian 12"
run apparmor_parser --version
says "version 4."

rust_suite apparmor
