//! Profiles against libseccomp itself: what batten says of a call is what the program that libseccomp writes returns for
//! it, over every number of every architecture, and arguments on both sides of every condition.

mod found;
mod generated;
mod laws;
mod probes;
mod published;
