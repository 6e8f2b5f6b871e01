//! The HTML report, opened in a browser: it works, asks no network for anything, and can be looked at.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, clippy::print_stderr, reason = "tests")]

mod browser;

use std::fs;
use std::path::Path;
use std::process::Command;

use browser::Browser;
use serde_json::{Value, json};

const WAIVERS: &str = "subject.engine = 'containerd'\n[[waiver]]\nrule = 'capabilities'\nvalues = ['CAP_NET_RAW']\n\
    match.namespace = 'gone'\nreason = 'until the move'\nowner = 'net@example.org'\nexpires = 2999-01-01\n";

/// A fleet of what engines write, one document with markup in it, one that is refused, one not valid.
fn report(folder: &Path) -> String {
    let specs = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/specs");
    let mut inputs = vec![
        specs.join("docker-26.json"),
        specs.join("docker-26-privileged.json"),
        specs.join("podman-4.json"),
        specs.join("containerd-cri.json"),
    ];
    let mut write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        inputs.push(path);
    };
    write("broken.json", "{");
    write(
        "hostile.json",
        r#"{"ociVersion":"1.0.2","annotations":{"krun.<img src=x onerror=document.title=1>":"x","io.kubernetes.cri.image-name":"</script><script>document.title=1</script>"},"process":{"cwd":"x"}}"#,
    );
    let policy = folder.join("policy.toml");
    fs::write(&policy, WAIVERS).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_batten"))
        .args(["check", "--format", "html", "--policy"])
        .arg(policy)
        .args(inputs)
        .output()
        .unwrap();
    let page = folder.join("report.html");
    fs::write(&page, output.stdout).unwrap();
    format!("file://{}", page.display())
}

fn shown(browser: &mut Browser) -> u64 {
    browser.evaluate("document.querySelectorAll('details.doc:not([hidden])').length").as_u64().unwrap()
}

fn type_in(browser: &mut Browser, id: &str, value: &str) {
    browser.evaluate(&format!(
        "(function () {{ var field = document.getElementById({id:?}); field.value = {value:?}; field.dispatchEvent(new Event('input', {{bubbles: true}})); }})()"
    ));
}

#[test]
fn the_page_works_in_a_browser_and_asks_no_network_for_anything() {
    let Some(program) = browser::program() else {
        assert!(std::env::var_os("CI").is_none(), "no Chromium: make deps installs it");
        eprintln!("SKIPPED: the HTML report was not opened: no Chromium here (apt-get install chromium)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let url = report(folder.path());
    let mut browser = Browser::start(program);
    browser.resize(1280);
    browser.open(&url);

    assert_eq!(shown(&mut browser), 7, "six documents and the policy's waivers");
    assert_eq!(browser.evaluate("document.getElementById('filter').hidden"), false, "the script ran");
    assert_ne!(
        browser.evaluate("getComputedStyle(document.querySelector('.card')).borderLeftWidth"),
        "0px",
        "the style holds"
    );
    assert_eq!(browser.evaluate("document.title"), "batten check", "no markup of a bundle runs");
    let first = browser.evaluate("document.querySelector('details.doc').dataset.verdict");
    assert_eq!(first, "unreadable", "the worst stands first");

    type_in(&mut browser, "search", "CAP_SYS_ADMIN");
    assert_eq!(shown(&mut browser), 1, "one container asks for it");
    assert_eq!(browser.evaluate("document.getElementById('shown').textContent"), "1 of 7 shown");
    type_in(&mut browser, "search", "no such words anywhere");
    assert_eq!(shown(&mut browser), 0);
    assert_eq!(browser.evaluate("document.getElementById('none').hidden"), false, "an empty list says why");
    type_in(&mut browser, "search", "");
    type_in(&mut browser, "rule", "spec");
    assert_eq!(shown(&mut browser), 1, "one document is not valid");
    type_in(&mut browser, "rule", "");
    browser.evaluate("document.querySelector('button.card.unreadable').click()");
    assert_eq!(shown(&mut browser), 1, "a card filters");
    assert_eq!(
        browser.evaluate("document.querySelector('button.card.unreadable').getAttribute('aria-pressed')"),
        "true"
    );
    assert_eq!(browser.evaluate("location.hash"), "#verdict=unreadable", "the address keeps the filter");
    browser.evaluate("document.querySelector('button.card.unreadable').click()");
    browser.evaluate("document.activeElement.blur()");
    browser.key("/");
    assert_eq!(browser.evaluate("document.activeElement.id"), "search", "the keyboard gets to the search");
    browser.evaluate("document.getElementById('close').click()");
    assert_eq!(browser.evaluate("document.querySelectorAll('details.doc[open]').length"), 0);
    browser.evaluate("document.getElementById('open').click()");
    assert_eq!(browser.evaluate("document.querySelectorAll('details.doc[open]').length"), 7);
    let pieces = "document.querySelectorAll('main ins, main del').length";
    assert_eq!(browser.evaluate(pieces), 0, "a diff is filled in when somebody looks");
    assert_eq!(browser.evaluate(OPEN_EVERY_DIFF), true);
    let changed = "Array.from(document.querySelectorAll('details.doc')).find(function (one) { return one.textContent.includes('privileged'); }).querySelectorAll('ins').length > 0";
    assert_eq!(browser.evaluate(changed), true, "the diff of a container is there");
    let twice = "(function () { var all = Array.from(document.getElementById('hunks').content.children).map(function (one) { return one.textContent; }); return all.length - new Set(all).size; })()";
    assert_eq!(browser.evaluate(twice), 0, "no piece of a diff stands in the page twice");
    accessible(&mut browser);
    readable_on_a_telephone(&mut browser);
    pictures(&mut browser);

    browser.open("about:blank");
    browser.open(&format!("{url}#rule=annotations"));
    assert_eq!(shown(&mut browser), 1, "an address with a filter opens filtered");
    let requests: Vec<&Value> =
        browser.events.iter().filter(|event| event["method"] == "Network.requestWillBeSent").collect();
    let asked: Vec<&str> = requests.iter().map(|event| event["params"]["request"]["url"].as_str().unwrap()).collect();
    assert!(
        !asked.is_empty() && asked.iter().all(|asked| asked.starts_with(&url) || *asked == "about:blank"),
        "{asked:?}"
    );
    let complaints = ["Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"];
    let heard: Vec<_> =
        browser.events.iter().filter(|event| complaints.iter().any(|name| event["method"] == **name)).collect();
    assert!(heard.is_empty(), "tests/report/hashes.sh after a change to script or style: {heard:#?}");
}

/// What a screen reader needs: a language, one first heading, a name for each field and button, no id twice.
fn accessible(browser: &mut Browser) {
    let lacking = browser.evaluate(
        "Array.from(document.querySelectorAll('input, select, button')).filter(function (one) { \
           return !(one.labels && one.labels.length) && !one.textContent.trim(); }).length",
    );
    assert_eq!(lacking, 0, "a field or button without a name");
    assert_eq!(browser.evaluate("document.documentElement.lang"), "en");
    assert_eq!(browser.evaluate("document.querySelectorAll('h1').length"), 1);
    let twice = "(function () { var ids = Array.from(document.querySelectorAll('[id]')).map(function (one) { return one.id; }); return ids.length - new Set(ids).size; })()";
    assert_eq!(browser.evaluate(twice), 0);
    // WCAG 2.1, 1.4.3: 4.5 to 1.
    for scheme in ["light", "dark"] {
        browser.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
        let faint = browser.evaluate(CONTRAST);
        assert_eq!(faint, json!([]), "too faint when {scheme}");
    }
    browser.call("Emulation.setEmulatedMedia", json!({"features": []}));
}

/// Nothing stands beside the screen, and no name of a rule is broken into letters.
fn readable_on_a_telephone(browser: &mut Browser) {
    browser.resize(360);
    assert_eq!(browser.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"), 0);
    let broken = "Array.from(document.querySelectorAll('[aria-labelledby=by-rule] tbody th button')).filter(function (one) { return one.offsetHeight > 50; }).map(function (one) { return one.textContent; })";
    assert_eq!(browser.evaluate(broken), json!([]));
    browser.resize(1280);
}

/// Opens them and waits until each has said so: a browser tells of it in a task of its own, after the script.
const OPEN_EVERY_DIFF: &str = r"Promise.all(Array.from(document.querySelectorAll('.diff')).map(function (one) {
  return new Promise(function (told) { one.addEventListener('toggle', told, {once: true}); one.open = true; });
})).then(function (all) { return all.length > 0; })";

const CONTRAST: &str = r"(function () {
  var parse = function (text) { return text.match(/[\d.]+/g).map(Number); };
  var light = function (rgb) { return rgb.slice(0, 3).map(function (v) { v /= 255; return v <= 0.03928 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4); })
    .reduce(function (sum, v, i) { return sum + v * [0.2126, 0.7152, 0.0722][i]; }, 0); };
  var ground = function (one) { for (; one; one = one.parentElement) { var rgb = parse(getComputedStyle(one).backgroundColor); if (rgb.length < 4 || rgb[3] > 0) { return rgb; } } return [255, 255, 255]; };
  var faint = [];
  document.querySelectorAll('h1, h2, p, th, .tag, .sev, .dim, dt, dd, label, ins, del, button, output').forEach(function (one) {
    if (!one.checkVisibility() || !one.textContent.trim() || one.closest('.skip')) { return; }
    var a = light(parse(getComputedStyle(one).color)), b = light(ground(one));
    var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) { faint.push(one.className + ' ' + one.tagName + ' ' + ratio.toFixed(2)); }
  });
  return Array.from(new Set(faint));
})()";

/// Where `BATTEN_PICTURES` names a folder, pictures of the page for whoever looks at it.
fn pictures(browser: &mut Browser) {
    let Some(folder) = std::env::var_os("BATTEN_PICTURES") else { return };
    for scheme in ["light", "dark"] {
        browser.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        );
        fs::write(Path::new(&folder).join(format!("{scheme}.png.base64")), browser.picture()).unwrap();
    }
    browser.resize(360);
    fs::write(Path::new(&folder).join("narrow.png.base64"), browser.picture()).unwrap();
    let paper = browser.call("Page.printToPDF", json!({"printBackground": false}));
    fs::write(Path::new(&folder).join("paper.pdf.base64"), paper["data"].as_str().unwrap()).unwrap();
    browser.call("Emulation.setEmulatedMedia", json!({"features": []}));
}
