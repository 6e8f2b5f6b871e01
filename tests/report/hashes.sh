#!/bin/sh
# Prints what the content security policy in src/report/html.rs has to name after a change to the page's script or style.
cd "$(dirname "$0")/../../src/report" || exit 1
for file in html.js html.css; do
  printf '%s %s\n' "$file" "$(openssl dgst -sha256 -binary "$file" | base64)"
done
