//! Any bytes are a log; what is learnt from it is a profile that reads back, and learning it again adds nothing.
#![no_main]

use std::path::Path;

use batten::apparmor::Profile;
use batten::apparmor::learn::edit;
use batten::denials::hear;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(heard) = hear(bytes, "job") else { return };
    let toml = "name = \"job\"\n";
    let path = Path::new("job.toml");
    let profile = Profile::from_toml(path, toml).expect("a profile");
    let lesson = profile.learn(&heard.events);
    let Ok(after) = edit(toml, &lesson) else { return };
    let learnt = Profile::from_toml(path, &after).unwrap_or_else(|error| panic!("{error}\n{after}"));
    assert!(learnt.learn(&heard.events).proposals.is_empty(), "{after}");
});
