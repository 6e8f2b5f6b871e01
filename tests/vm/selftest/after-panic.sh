. vm-test

claim "another machine takes the dead one's place"
that true
