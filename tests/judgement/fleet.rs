//! Many documents at once: inputs, formats, baselines.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::batten::{batten, batten_reading};

const HOSTILE: &str = "{\"ociVersion\":\"1.0.2\",\"annotations\":{\"krun.<img src=x onerror=alert(1)>&]]>\\u001b\":\"x\",\
    \"io.kubernetes.cri.image-name\":\"</script><b>\"},\"process\":{\"cwd\":\"/\"}}";
pub(crate) const PLAIN: &str =
    r#"{"ociVersion":"1.0.2","process":{"cwd":"/","capabilities":{"bounding":["CAP_SYS_ADMIN"]}}}"#;

/// One that nothing needs, one whose last day is long over.
const WAIVERS: &str = "subject.engine = 'containerd'\n\
    [[waiver]]\nrule = 'seccomp'\nmatch.namespace = 'gone'\nreason = 'r'\nowner = 'o'\nexpires = 2999-01-01\n\
    [[waiver]]\nrule = 'seccomp'\nmatch.namespace = 'gone'\nreason = 'r'\nowner = 'o'\nexpires = 2020-01-01\n";

pub(crate) fn place() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let name = folder.path().to_str().unwrap().to_owned();
    (folder, name)
}

pub(crate) fn file(path: impl AsRef<Path>, text: &str) {
    fs::create_dir_all(path.as_ref().parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Three bundles, one of them unreadable, and a rootfs with a decoy.
fn bundles(top: &str) {
    file(format!("{top}/a/config.json"), HOSTILE);
    file(format!("{top}/a/rootfs/x/config.json"), "a container's own file");
    file(format!("{top}/b/deep/config.json"), PLAIN);
    file(format!("{top}/c/config.json"), "{");
}

pub(crate) fn names(stdout: &str) -> Vec<String> {
    let name = |line: &str| serde_json::from_str::<Value>(line).unwrap()["path"].as_str().unwrap().to_owned();
    stdout.lines().map(name).collect()
}

#[test]
fn folders_are_searched_in_depth_in_order_without_what_containers_brought() {
    let (_folder, top) = place();
    bundles(&top);
    let run = batten(&["check", "--recursive", "--format", "jsonl", &top]);
    assert_eq!(run.code, 3);
    assert_eq!(
        names(&run.stdout),
        [format!("{top}/a/config.json"), format!("{top}/b/deep/config.json"), format!("{top}/c/config.json")]
    );
    let run = batten(&["check", &top]);
    assert!(run.code == 3 && run.stdout.contains("--recursive"), "{}", run.stdout);
    let run = batten(&["check", "--recursive", &format!("{top}/a/rootfs/x/..")]);
    assert_eq!(run.code, 3, "named itself, it is entered: {}", run.stdout);
    fs::create_dir(format!("{top}/empty")).unwrap();
    let run = batten(&["check", "-r", &format!("{top}/empty")]);
    assert!(run.code == 3 && run.stdout.contains("no config.json in it or below"), "{}", run.stdout);
}

#[test]
fn a_search_says_which_config_json_is_a_link_or_no_file_and_follows_neither() {
    let (_folder, top) = place();
    file(format!("{top}/bundles/a/config.json"), PLAIN);
    file(format!("{top}/elsewhere/config.json"), PLAIN);
    for name in ["link", "pipe"] {
        fs::create_dir(format!("{top}/bundles/{name}")).unwrap();
    }
    std::os::unix::fs::symlink("../../elsewhere/config.json", format!("{top}/bundles/link/config.json")).unwrap();
    std::os::unix::fs::symlink("../elsewhere", format!("{top}/bundles/folder")).unwrap();
    nix::unistd::mkfifo(Path::new(&format!("{top}/bundles/pipe/config.json")), nix::sys::stat::Mode::S_IRWXU).unwrap();
    let run = batten(&["check", "-r", &format!("{top}/bundles")]);
    assert!(run.code == 3 && run.stdout.contains("1 would be fixed, 0 denied, 2 unreadable"), "{}", run.stdout);
    let link = format!("cannot read {top}/bundles/link/config.json: it is a symbolic link");
    let pipe = format!("{top}/bundles/pipe/config.json is not a regular file");
    assert!(run.stdout.contains(&link) && run.stdout.contains(&pipe), "{}", run.stdout);
    assert_eq!(batten(&["check", &format!("{top}/bundles/link")]).code, 2, "named itself, it is followed");
}

#[test]
fn nothing_on_standard_input_is_no_clean_fleet() {
    for args in [&["check", "-"][..], &["check", "--jsonl", "-"], &["check", "--jsonl", "--format", "json", "-"]] {
        let run = batten_reading(args, "\n");
        assert!(run.code == 3 && run.stdout.contains("look whether the command"), "{args:?}: {}", run.stdout);
    }
    let bash = |command: String| {
        std::process::Command::new("bash").args(["-c", &command]).output().map(crate::batten::Run::from).unwrap()
    };
    let batten = env!("CARGO_BIN_EXE_batten");
    let substituted = bash(format!("{batten} check <(echo '{PLAIN}')"));
    assert!(substituted.code == 2 && substituted.stdout.starts_with("/dev/fd/"), "{}", substituted.stdout);
}

#[test]
fn what_is_only_reported_on_is_not_called_within_the_policy() {
    let (_folder, top) = place();
    file(format!("{top}/config.json"), PLAIN);
    let policy = format!("{top}/policy.toml");
    file(&policy, "mode = 'audit'\n");
    let run = batten(&["check", "--policy", &policy, &top]);
    assert!(run.code == 0 && run.stdout.starts_with(&format!("{top}/config.json: reported only\n")), "{}", run.stdout);
    assert!(run.stdout.contains("1 within the policy (1 reported only), 0 would be fixed"), "{}", run.stdout);
    assert!(batten(&["check", "--policy", &policy, "--format", "html", &top]).stdout.contains(">reported only</span>"));
}

#[test]
fn a_reader_that_goes_away_makes_no_verdict_clean() {
    let (_folder, top) = place();
    let lines = format!("{PLAIN}\n").repeat(2000);
    file(format!("{top}/fleet.jsonl"), &lines);
    file(format!("{top}/one/config.json"), PLAIN);
    for (args, code) in [
        (["check", &format!("{top}/fleet.jsonl")], 3),
        (["check", &format!("{top}/one")], 2),
        (["diff", &format!("{top}/one")], 2),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut batten = std::process::Command::new(env!("CARGO_BIN_EXE_batten"));
        let status = batten.args(args).stdout(writer).status().unwrap();
        assert_eq!(status.code(), Some(code), "{args:?}");
    }
}

#[test]
fn quoted_patterns_are_expanded_and_one_that_matches_nothing_is_said_while_the_rest_is_judged() {
    let (_folder, top) = place();
    bundles(&top);
    let run =
        batten(&["check", "--format", "jsonl", &format!("{top}/nothing*"), &format!("{top}/[ab]/**/config.json")]);
    assert_eq!(run.code, 3);
    let seen = names(&run.stdout);
    assert!(seen.contains(&format!("{top}/a/config.json")) && seen.contains(&format!("{top}/b/deep/config.json")));
    assert!(run.stdout.contains("no file matches"), "{}", run.stdout);
}

#[test]
fn json_lines_are_documents_named_by_their_line() {
    let (_folder, top) = place();
    let lines = format!("{PLAIN}\n\n{{\n{PLAIN}");
    file(format!("{top}/fleet.jsonl"), &lines);
    let path = format!("{top}/fleet.jsonl");
    let run = batten(&["check", "--format", "jsonl", &path]);
    assert_eq!(
        (run.code, names(&run.stdout)),
        (3, vec![format!("{path}:1"), format!("{path}:3"), format!("{path}:4")])
    );
    let piped = batten_reading(&["check", "--jsonl", "--format", "jsonl", "-"], &lines);
    assert_eq!(names(&piped.stdout), ["-:1", "-:3", "-:4"]);
    // A code scanning service knows the file and its lines, not the document's name.
    let sarif: Value = serde_json::from_str(&batten(&["check", "--format", "sarif", &path]).stdout).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let places = results.iter().map(|one| &one["locations"][0]["physicalLocation"]);
    let mut lines: Vec<_> = places
        .map(|place| {
            (place["artifactLocation"]["uri"].as_str().unwrap(), place["region"]["startLine"].as_u64().unwrap())
        })
        .collect();
    lines.dedup();
    assert_eq!(lines, [1, 3, 4].map(|line| (path.as_str(), line)));
    let github = batten(&["check", "--format", "github", &path]).stdout;
    assert!(github.contains(&format!("::error file={path},line=3,title=unreadable::")), "{github}");
    assert!(github.contains(&format!("::warning file={path},line=4,title=capabilities")), "{github}");
}

/// Rule and disposition of each finding, as each format tells them, sorted.
fn told(format: &str, stdout: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of_documents = |documents: &[Value]| -> Vec<String> {
        let list = |document: &Value, key: &str| document[key].as_array().cloned().unwrap_or_default();
        let findings = documents.iter().flat_map(|document| list(document, "findings"));
        let breaches = documents.iter().flat_map(|document| list(document, "spec"));
        let findings = findings.map(|one| format!("{} {}", text(&one["rule"]), text(&one["pointer"])));
        findings.chain(breaches.map(|one| format!("spec {}", text(&one["pointer"])))).collect()
    };
    let mut told = match format {
        "json" => of_documents(serde_json::from_str::<Value>(stdout).unwrap()["documents"].as_array().unwrap()),
        "jsonl" => of_documents(&stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>()),
        "sarif" => {
            let report: Value = serde_json::from_str(stdout).unwrap();
            let results = report["runs"][0]["results"].as_array().unwrap();
            let readable = results.iter().filter(|one| one["ruleId"] != "unreadable");
            let pointer = |one: &Value| text(&one["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]);
            readable.map(|one| format!("{} {}", text(&one["ruleId"]), pointer(one))).collect()
        }
        "junit" => {
            let cases = stdout.split("<testcase ").skip(1).filter(|case| !case.contains("name=\"readable\""));
            cases.map(|case| unescaped(case.split("name=\"").nth(2).unwrap().split('"').next().unwrap())).collect()
        }
        "github" => {
            let findings = stdout.lines().filter(|line| !line.contains("title=unreadable"));
            let pair = |line: &str| {
                let rule = line.split("title=").nth(1).unwrap().split(' ').next().unwrap();
                let pointer = line.rsplit(" (at ").next().unwrap().split(")%0A").next().unwrap();
                format!("{rule} {pointer}")
            };
            findings.map(pair).collect()
        }
        "html" => {
            let pair = |item: &str| {
                let rule = item.split("<strong").nth(1).unwrap().split('>').nth(1).unwrap().split('<').next().unwrap();
                let pointer = item.split("<code>").nth(1).unwrap().split("</code>").next().unwrap();
                unescaped(&format!("{rule} {pointer}"))
            };
            stdout.split("<li class=\"f\">").skip(1).map(pair).collect()
        }
        _ => {
            let lines: Vec<&str> = stdout.lines().collect();
            let pairs = lines.windows(2).filter(|pair| pair[1].starts_with("    at "));
            let rule = |line: &str| line.rsplit('[').next().unwrap().split(',').next().unwrap().to_owned();
            let pointer = |line: &str| line["    at ".len()..].split(" (line ").next().unwrap().to_owned();
            pairs.map(|pair| format!("{} {}", rule(pair[0]), pointer(pair[1]))).collect::<Vec<_>>()
        }
    };
    for one in &mut told {
        *one = one.replace('\u{1b}', "\\u{1b}");
        if one.ends_with(' ') {
            one.push_str("(the whole document)");
        }
    }
    told.sort_unstable();
    told
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'").replace("&amp;", "&")
}

#[test]
fn all_formats_carry_the_same_findings() {
    let (_folder, top) = place();
    bundles(&top);
    let policy = format!("{top}/policy.toml");
    file(&policy, WAIVERS);
    let report = |format: &str| batten(&["check", "-r", "--policy", &policy, "--format", format, &top]);
    let expected = told("json", &report("json").stdout);
    for rule in ["capabilities", "annotations", "waiver-unused /waiver/0", "waiver-expired /waiver/1", "spec"] {
        assert!(expected.iter().any(|one| one.starts_with(rule)), "{rule}: {expected:?}");
    }
    assert!(expected.iter().any(|one| one.contains("onerror")), "{expected:?}");
    for format in ["jsonl", "sarif", "junit", "github", "html", "text"] {
        let run = report(format);
        assert_eq!((run.code, run.stderr.as_str()), (3, ""), "{format}");
        assert_eq!(told(format, &run.stdout), expected, "{format}");
        assert!(!run.stdout.contains('\u{1b}'), "{format} lets a control character through");
        assert!(run.stdout.contains("/c/config.json"), "{format} hides what cannot be read");
    }
}

#[test]
fn html_holds_no_markup_of_a_bundle_and_needs_no_network() {
    let (_folder, top) = place();
    bundles(&top);
    let page = batten(&["check", "-r", "--format", "html", &top]).stdout;
    assert!(!page.contains("<img") && page.matches("</script>").count() == 1, "{page}");
    assert!(page.contains("default-src 'none'") && !page.contains("http://") && !page.contains("https://"));
}

#[test]
fn sarif_is_valid_by_the_standard_s_own_schema() {
    let (_folder, top) = place();
    bundles(&top);
    let policy = format!("{top}/policy.toml");
    let waiver = "[[waiver]]\nrule = 'capabilities'\nmatch.annotations = { tier = 'x' }\nreason = 'r'\nowner = 'o'\nexpires = 2999-01-01\n";
    file(&policy, &WAIVERS.replacen("[[waiver]]", &format!("subject.annotations = ['tier']\n{waiver}[[waiver]]"), 1));
    file(format!("{top}/d/config.json"), &PLAIN.replacen('{', r#"{"annotations":{"tier":"x"},"#, 1));
    let run = batten(&["check", "-r", "--policy", &policy, "--format", "sarif", &top]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/sarif/sarif-schema-2.1.0.json");
    let schema = jsonschema::draft4::new(&serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap()).unwrap();
    let errors: Vec<_> =
        schema.iter_errors(&report).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let run = &report["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    let suppressed: Vec<_> = results.iter().filter(|result| !result["suppressions"].is_null()).collect();
    assert!(
        !suppressed.is_empty() && suppressed.iter().all(|one| one["properties"]["disposition"] == "waived"),
        "{suppressed:#?}"
    );
    let mut wrong = report.clone();
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schema.is_valid(&wrong), "the schema can say no");
}

#[test]
fn a_baseline_leaves_what_is_new() {
    let (_folder, top) = place();
    file(format!("{top}/a/config.json"), PLAIN);
    let bundle = format!("{top}/a");
    let baseline = format!("{top}/baseline.jsonl");
    file(&baseline, &batten(&["check", "--format", "jsonl", &bundle]).stdout);
    let again = batten(&["check", "--baseline", &baseline, &bundle]);
    assert_eq!(again.code, 0, "{}", again.stdout);
    // Three by the policy and the specification's: it is not within the policy for being known.
    assert!(again.stdout.starts_with(&format!("{bundle}/config.json: nothing new\n1 document: 1 nothing new, ")));
    for (format, words) in [
        ("text", "in the baseline are left out"),
        ("json", "\"known\":"),
        ("jsonl", "\"known\":"),
        ("junit", "name=\"nothing new\""),
        ("html", "<br>Left out, being in the baseline: "),
    ] {
        let said = batten(&["check", "--baseline", &baseline, "--format", format, &bundle]).stdout;
        assert!(said.contains(words) && !said.contains("within the policy"), "{format}: {said}");
    }
    let value = batten(&["check", "--baseline", &baseline, "--format", "json", &bundle]).stdout;
    crate::schema::assert_valid("report", &serde_json::from_str(&value).unwrap());
    file(format!("{top}/a/config.json"), &PLAIN.replace("CAP_SYS_ADMIN", "CAP_SYS_MODULE"));
    let changed = batten(&["check", "--baseline", &baseline, &bundle]);
    assert!(changed.code == 2 && changed.stdout.contains("CAP_SYS_MODULE"), "{}", changed.stdout);
    file(&baseline, "nonsense");
    let run = batten(&["check", "--baseline", &baseline, &bundle]);
    assert!(
        run.code == 4 && run.stderr.contains("baseline.jsonl:1") && run.stderr.contains("hint: "),
        "{}",
        run.stderr
    );
}

/// A document of which nothing but the container's names is another's.
fn named(names: &str) -> String {
    PLAIN.replacen('{', &format!("{{{names},"), 1)
}

/// The documents (from 1) of `fleet` with something that is not in `baseline`.
fn documents_with_news(fleet: &str, baseline: &str) -> Vec<usize> {
    let run = batten(&["check", "--format", "jsonl", "--baseline", baseline, fleet]);
    let documents = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_new = |document: &Value| document["findings"].as_array().is_some_and(|findings| !findings.is_empty());
    documents.enumerate().filter(|(_, document)| is_new(document)).map(|(index, _)| index + 1).collect()
}

#[test]
fn a_baseline_knows_a_line_by_what_the_document_names_and_not_by_its_number() {
    let pod = |name: &str| {
        named(&format!(
            r#""annotations":{{"io.kubernetes.cri.sandbox-namespace":"a","io.kubernetes.cri.sandbox-name":"{name}","io.kubernetes.cri.container-name":"app"}}"#
        ))
    };
    let nerdctl = |name: &str| named(&format!(r#""annotations":{{"nerdctl/name":"{name}"}}"#));
    let docker = |id: &str| named(&format!(r#""linux":{{"cgroupsPath":"/docker/{id}"}}"#));
    for (known, other) in [(pod("p"), pod("q")), (nerdctl("n"), nerdctl("m")), (docker("1"), docker("2"))] {
        let (_folder, top) = place();
        let [fleet, baseline] = ["fleet.jsonl", "baseline.jsonl"].map(|name| format!("{top}/{name}"));
        file(&fleet, &format!("{known}\n"));
        let report = batten(&["check", "--format", "jsonl", &fleet]).stdout;
        file(&baseline, &report);
        let value = batten(&["check", "--format", "json", &fleet]).stdout;
        crate::schema::assert_valid("report", &serde_json::from_str(&value).unwrap());
        file(&fleet, &format!("{other}\n{known}\n"));
        assert_eq!(documents_with_news(&fleet, &baseline), [1], "{report}");
        // What is known is what it was known for.
        file(&fleet, &format!("{}\n", known.replace("CAP_SYS_ADMIN", "CAP_SYS_MODULE")));
        assert_eq!(documents_with_news(&fleet, &baseline), [1], "{report}");
    }
}

#[test]
fn a_baseline_knows_a_line_by_its_number_where_nothing_else_is_known_of_it() {
    let (_folder, top) = place();
    let [fleet, baseline] = ["fleet.jsonl", "baseline.jsonl"].map(|name| format!("{top}/{name}"));
    let container = named(r#""annotations":{"nerdctl/name":"n"}"#);
    file(&fleet, &format!("{PLAIN}\n{container}\n"));
    let report = batten(&["check", "--format", "jsonl", &fleet]).stdout;
    file(&baseline, &report);
    assert_eq!(documents_with_news(&fleet, &baseline), [0; 0]);
    // As reports were before lines had names.
    let known_as = format!("\"known_as\":\"{fleet}#n\",");
    assert!(report.contains(&known_as), "{report}");
    file(&baseline, &report.replace(&known_as, ""));
    assert_eq!(documents_with_news(&fleet, &baseline), [0; 0]);
    // The third line was not there: both stand one lower, and the first is where the second was.
    file(&fleet, &format!("\n{PLAIN}\n{container}\n"));
    assert_eq!(documents_with_news(&fleet, &baseline), [2]);
}

#[test]
fn fail_on_decides_what_exits_with_1() {
    let (_folder, top) = place();
    file(format!("{top}/config.json"), PLAIN);
    for (named, code) in [("critical", 1), ("capabilities", 1), ("low", 1), ("annotations", 0), ("nonsense", 4)] {
        assert_eq!(batten(&["check", "--fail-on", named, &top]).code, code, "{named}");
    }
}

#[test]
fn every_rule_that_is_reported_can_be_explained() {
    let listed = batten(&["explain"]);
    assert_eq!(listed.code, 0);
    for line in listed.stdout.lines() {
        let rule = line.split(' ').next().unwrap();
        let run = batten(&["explain", rule]);
        assert!(run.code == 0 && run.stdout.starts_with(rule), "{rule}: {}", run.stderr);
    }
    assert_eq!(batten(&["explain", "nonsense"]).code, 4);
    assert!(batten(&["explain", "No_new_privs"]).stdout.starts_with("no-new-privs"), "as the policy's table is called");
    for (mistyped, meant) in [("apparmour", "hint: apparmor\n"), ("waiver", "hint: waiver-expired, waiver-unused\n")] {
        assert!(batten(&["explain", mistyped]).stderr.ends_with(meant), "{mistyped}");
    }
    let (_folder, top) = place();
    file(format!("{top}/config.json"), PLAIN);
    let run = batten(&["check", "--explain", &top]);
    assert!(
        run.stdout.contains("    why: ") && run.stdout.contains("    fix: set /process/capabilities"),
        "{}",
        run.stdout
    );
}

#[test]
fn waivers_that_a_run_did_not_need_are_said_once_at_their_line_and_only_of_a_fleet() {
    let (_folder, top) = place();
    file(format!("{top}/a/config.json"), PLAIN);
    file(format!("{top}/b/config.json"), PLAIN);
    let policy = format!("{top}/policy.toml");
    let used = "[[waiver]]\nrule = 'capabilities'\nmatch.annotations = { tier = 'x' }\nreason = 'r'\nowner = 'o'\nexpires = 2999-01-01\n";
    file(&policy, &WAIVERS.replacen("[[waiver]]", &format!("subject.annotations = ['tier']\n{used}[[waiver]]"), 1));
    let tiered = PLAIN.replacen('{', r#"{"annotations":{"tier":"x"},"#, 1);
    file(format!("{top}/b/config.json"), &tiered);
    let run = batten(&["check", "-r", "--policy", &policy, "--format", "jsonl", &top]);
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let about: Vec<&Value> = lines.iter().filter(|line| line["kind"] == "policy").collect();
    assert_eq!(about.len(), 1, "{}", run.stdout);
    let said: Vec<_> =
        about[0]["findings"].as_array().unwrap().iter().map(|one| (one["rule"].clone(), one["line"].clone())).collect();
    assert_eq!(said, [("waiver-unused".into(), 9.into()), ("waiver-expired".into(), 15.into())], "{}", run.stdout);
    let count = |format: &str| batten(&["check", "-r", "--policy", &policy, "--format", format, &top]).stdout;
    assert!(count("text").ends_with("2 documents: 0 within the policy, 2 would be fixed, 0 denied, 0 unreadable; 2 are not valid by the runtime-spec\n"), "{}", count("text"));
    let one = batten(&["check", "--policy", &policy, &format!("{top}/a")]);
    assert!(!one.stdout.contains("waiver-"), "{}", one.stdout);
    assert_eq!(batten(&["check", "-r", "--policy", &policy, "--fail-on", "waiver-unused", &top]).code, 1);
    let baseline = format!("{top}/baseline.jsonl");
    file(&baseline, &run.stdout);
    let again = batten(&["check", "-r", "--policy", &policy, "--baseline", &baseline, "--format", "jsonl", &top]);
    assert!(!again.stdout.contains("waiver-") && !again.stdout.contains("spec"), "{}", again.stdout);
}
