. vm-test

claim "a script that breaks off fails"
that true
exit 3
