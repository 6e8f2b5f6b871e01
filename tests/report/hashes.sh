#!/bin/sh
# Writes into src/report/html/mod.rs what the page's content security policy has to name: run it after a change to the
# page's script or style.
set -eu
cd "$(dirname "$0")/../../src/report/html"
hash() { openssl dgst -sha256 -binary "$1" | base64; }
sed -i "s|^const SCRIPT_HASH.*|const SCRIPT_HASH: \&str = \"$(hash page.js)\";|; s|^const STYLE_HASH.*|const STYLE_HASH: \&str = \"$(hash page.css)\";|" mod.rs
