. vm-test
