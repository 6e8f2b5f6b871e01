//! The command line as the real runtimes read it.
