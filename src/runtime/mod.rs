//! Standing in front of an OCI runtime: reading its command line, handing over to it, and answering as it would.

pub mod argv;
