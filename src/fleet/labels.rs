//! What people call a container. For the eye only: anyone may set most of these, so no rule reads them.

use crate::spec::{Document, Pointer, Value};

/// Engine, id, name and image, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// `containerd`, `docker`, `podman` or `cri-o`; only for what was found running.
    pub engine: Option<&'static str>,
    /// The engine's id.
    pub id: Option<String>,
    /// The name people gave it.
    pub name: Option<String>,
    /// The image.
    pub image: Option<String>,
}

// containerd pkg/cri/annotations, CRI-O pkg/annotations, nerdctl pkg/labels, Podman libpod/define.
const NAMES: &[&str] = &[
    "io.kubernetes.cri.container-name",
    "io.kubernetes.container.name",
    "nerdctl/name",
    "io.kubernetes.cri-o.Name",
    "io.container.name",
    // A pause container has no name but its pod's.
    "io.kubernetes.cri.sandbox-name",
];
const IMAGES: &[&str] = &[
    "io.kubernetes.cri.image-name",
    "io.kubernetes.cri-o.ImageName",
    "nerdctl/image",
    "org.opencontainers.image.ref.name",
];

impl Labels {
    /// Fills in from the annotations what is not known yet.
    #[must_use]
    pub fn or_annotated(mut self, document: &Document) -> Self {
        let Some(annotations) = document.at(&Pointer::new("/annotations")) else { return self };
        let first = |keys: &[&str]| {
            keys.iter().find_map(|key| annotations.get(key).and_then(Value::as_str)).map(std::borrow::Cow::into_owned)
        };
        self.name = self.name.or_else(|| first(NAMES));
        self.image = self.image.or_else(|| first(IMAGES));
        // Podman and CRI-O keep their bundles in the same folders.
        if annotations.get("io.kubernetes.cri-o.ContainerID").is_some() {
            self.engine = Some("cri-o");
        }
        self
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
