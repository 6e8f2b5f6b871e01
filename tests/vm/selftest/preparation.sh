. vm-test

claim "what cannot be prepared fails"
given false
echo never reached >>/vm/results
