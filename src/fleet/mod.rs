//! Many documents at once: where they are found, judged on every core, and handed on in the order they were named.

mod baseline;
mod judged;
mod labels;
mod live;
mod parallel;
mod source;
mod summary;
mod waivers;

pub use baseline::{Baseline, BaselineError};
pub use judged::{Judged, Unreadable, Verdict};
pub use labels::Labels;
pub use live::{Running, labels_in_storage, running, running_by_engine};
pub use parallel::in_order;
pub use source::{Item, Named, Text, items};
pub use summary::Summary;
pub use waivers::WaiverUse;
