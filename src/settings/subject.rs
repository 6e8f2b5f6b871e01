//! Which container is judged: the few facts that the engine itself wrote into the bundle.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::spec::{Document, Pointer, Value};

/// Which annotations name a container. Empty unless the policy says so: with Docker and Podman anyone who starts a
/// container can set any annotation, so nothing is trusted by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubjectKeys {
    /// The annotation that holds the Kubernetes namespace.
    pub namespace: Option<Cow<'static, str>>,
    /// The pod's name.
    pub pod: Option<Cow<'static, str>>,
    /// The container's name in its pod.
    pub container: Option<Cow<'static, str>>,
    /// The image's name.
    pub image: Option<Cow<'static, str>>,
    /// The annotation that says `sandbox` of the container that only holds a pod's namespaces.
    pub kind: Option<&'static str>,
    /// Further annotations that rules of the policy may match on.
    pub annotations: Vec<String>,
}

impl SubjectKeys {
    /// The keys that an engine sets for every Kubernetes container, whatever the pod says.
    pub fn of_engine(engine: &str) -> Option<Self> {
        let keys = |namespace, pod, container, image, kind| Self {
            namespace: Some(Cow::Borrowed(namespace)),
            pod: Some(Cow::Borrowed(pod)),
            container: Some(Cow::Borrowed(container)),
            image: Some(Cow::Borrowed(image)),
            kind: Some(kind),
            annotations: Vec::new(),
        };
        match engine {
            // containerd, pkg/cri/annotations.
            "containerd" => Some(keys(
                "io.kubernetes.cri.sandbox-namespace",
                "io.kubernetes.cri.sandbox-name",
                "io.kubernetes.cri.container-name",
                "io.kubernetes.cri.image-name",
                "io.kubernetes.cri.container-type",
            )),
            // CRI-O, pkg/annotations.
            "cri-o" => Some(keys(
                "io.kubernetes.pod.namespace",
                "io.kubernetes.pod.name",
                "io.kubernetes.container.name",
                "io.kubernetes.cri-o.ImageName",
                "io.kubernetes.cri-o.ContainerType",
            )),
            "none" => Some(Self::default()),
            _ => None,
        }
    }
}

/// The container that a document describes, as far as its engine vouches for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Kubernetes namespace.
    pub namespace: Option<String>,
    /// Pod.
    pub pod: Option<String>,
    /// Container name.
    pub container: Option<String>,
    /// Image.
    pub image: Option<String>,
    /// Whether it only holds a pod's namespaces (the pause container): no pod's author wrote its settings.
    pub is_sandbox: bool,
    /// Trusted annotations that are present.
    pub annotations: BTreeMap<String, String>,
}

impl Subject {
    /// Reads the subject of a config.json by the keys that the policy trusts.
    pub fn of(document: &Document, keys: &SubjectKeys) -> Self {
        let Some(annotations) = document.at(&Pointer::new("/annotations")) else { return Self::default() };
        let read = |key: &str| annotations.get(key).and_then(Value::as_str).map(Cow::into_owned);
        let read_key = |key: &Option<Cow<'static, str>>| key.as_deref().and_then(read);
        Self {
            namespace: read_key(&keys.namespace),
            pod: read_key(&keys.pod),
            container: read_key(&keys.container),
            image: read_key(&keys.image),
            is_sandbox: keys.kind.and_then(read).is_some_and(|kind| kind == "sandbox"),
            annotations: keys.annotations.iter().filter_map(|key| Some((key.clone(), read(key)?))).collect(),
        }
    }
}

/// `match = { … }`: every key that is given must match; values are globs (`*`, `?`).
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Match {
    pub(crate) namespace: Option<String>,
    pub(crate) pod: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) image: Option<String>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Match {
    /// Whether every pattern that is given matches what the engine says of the container.
    pub(crate) fn covers(&self, subject: &Subject) -> bool {
        let fits = |pattern: &Option<String>, value: &Option<String>| match (pattern, value) {
            (None, _) => true,
            (Some(pattern), Some(value)) => glob(pattern, value),
            (Some(_), None) => false,
        };
        fits(&self.namespace, &subject.namespace)
            && fits(&self.pod, &subject.pod)
            && fits(&self.container, &subject.container)
            && fits(&self.image, &subject.image)
            && self
                .annotations
                .iter()
                .all(|(key, pattern)| subject.annotations.get(key).is_some_and(|value| glob(pattern, value)))
    }

    /// The first key that is matched on although the policy does not say which annotation holds it.
    pub(crate) fn untrusted_key(&self, keys: &SubjectKeys) -> Option<String> {
        let named = [
            ("namespace", &self.namespace, &keys.namespace),
            ("pod", &self.pod, &keys.pod),
            ("container", &self.container, &keys.container),
            ("image", &self.image, &keys.image),
        ];
        let field = named.iter().find(|(_, pattern, key)| pattern.is_some() && key.is_none()).map(|(name, ..)| *name);
        let annotation = || self.annotations.keys().find(|key| !keys.annotations.contains(key));
        field.map(str::to_owned).or_else(|| annotation().cloned())
    }

    /// Whether nothing is asked, so that every container matches.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { namespace, pod, container, image, annotations } = self;
        [namespace, pod, container, image].iter().all(|pattern| pattern.is_none()) && annotations.is_empty()
    }
}

/// Whether `text` matches `pattern`, where `*` stands for any characters and `?` for one.
pub fn glob(pattern: &str, text: &str) -> bool {
    // What is no wildcard is compared byte by byte: characters that begin alike end at the same byte.
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(b'?') => (p, t) = (p + 1, t + character(text[t])),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => {
                let Some((star, from)) = retry else { return false };
                let from = from + character(text[from]);
                retry = Some((star, from));
                (p, t) = (star + 1, from);
            }
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// How many bytes of UTF-8 a character has that begins with `byte`.
const fn character(byte: u8) -> usize {
    match byte {
        0..0xc0 => 1,
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn a_glob_matches_whole_names() {
        for (pattern, text, expected) in [
            ("kube-system", "kube-system", true),
            ("kube-*", "kube-system", true),
            ("*", "", true),
            ("*-*-z", "a-b-z", true),
            ("a?c", "abc", true),
            ("kube", "kube-system", false),
            ("*a", "ab", false),
            ("", "x", false),
            ("?", "é", true),
            ("é?", "éß", true),
            ("??", "é", false),
            ("*?é", "ééé", true),
            ("*ß?", "éßß🦀", true),
            ("*?", "🦀", true),
            ("è", "é", false),
            ("a*?b*c", "aéb🦀c", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
