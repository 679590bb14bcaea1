//! Packages against real servers on this machine: an HTTP repository that misbehaves in every way that matters, and
//! an OCI registry where the machine has one.

use camino::Utf8PathBuf;
use flate2::{Compression, write::GzEncoder};
use stackc::package::cache::Cache;
use stackc::package::lock::{Pinned, Wanted};
use stackc::package::source::{Network, Packages};
use stackc::package::{ContentDigest, PackageError};
use stackc::world::World as _;
use stackc::world::os::OsWorld;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a path of the server answers with, byte for byte.
pub(crate) type Script = BTreeMap<String, Vec<u8>>;

pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(script: impl Fn(u16) -> Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let script = Arc::new(script(port));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log) = (Arc::clone(&script), Arc::clone(&log));
                thread::spawn(move || answer(stream, &script, &log));
            }
        });
        Self { port, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("the log").clone()
    }
}

fn answer(mut stream: TcpStream, script: &Script, log: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a handle"));
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let path = head.split(' ').nth(1).unwrap_or("").to_owned();
    let authorization = head.lines().find_map(|line| {
        line.to_ascii_lowercase().starts_with("authorization:").then(|| line[14..].trim().to_owned())
    });
    let first = {
        let mut log = log.lock().expect("the log");
        let start = format!("{path} ");
        let first = !log.iter().any(|line| line.starts_with(&start));
        log.push(format!("{path} {}", authorization.as_deref().unwrap_or("-")));
        first
    };
    let needs_login = script.get(&format!("login {path}"));
    let reply = match (needs_login, authorization) {
        (Some(challenge), None) => {
            let challenge = std::str::from_utf8(challenge).expect("text");
            let challenge = challenge.strip_prefix("challenge ").unwrap_or("Basic realm=\"x\"");
            plain(401, &[("www-authenticate", challenge)], b"")
        }
        _ => script.get(&path).cloned().unwrap_or_else(|| plain(404, &[], b"nothing here")),
    };
    // What a path answers with the first time only.
    let reply = script.get(&format!("first {path}")).filter(|_| first).cloned().unwrap_or(reply);
    if first && script.contains_key(&format!("stall {path}")) {
        // Half an answer, and then silence until whoever asked has gone.
        drop(stream.write_all(&reply[..reply.len() - 20]));
        drop(stream.flush());
        drop(reader.read(&mut [0; 1]));
        return;
    }
    drop(stream.write_all(&reply));
}

pub(crate) fn plain(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    let mut out = out.into_bytes();
    out.extend_from_slice(body);
    out
}

/// The machine with a home of the test's own.
fn home(folder: &tempfile::TempDir, more: &[(&str, &str)]) -> OsWorld {
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    let cache = root.join("cache");
    let own = [("HOME", root.as_str()), ("STACKC_CACHE", cache.as_str())];
    let variables =
        own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    OsWorld::new(root.clone()).with_variables(variables).with_pauses(Arc::default())
}

fn packages(home: &OsWorld) -> Packages<'_> {
    Packages::new(home, Cache::open(home), None, Network::On)
}

/// A packed chart with these files.
pub(crate) fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        // Names that climb are what some tests are about: the library would refuse them.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, text.as_bytes()).expect("memory");
    }
    tar.into_inner().and_then(GzEncoder::finish).expect("memory")
}

/// A chart that renders one object, which says its version.
pub(crate) fn package(name: &str, version: &str) -> Vec<u8> {
    packed(&[
        (&format!("{name}/Chart.yaml"), &format!("apiVersion: v2\nname: {name}\nversion: {version}\n")),
        (
            &format!("{name}/templates/config.yaml"),
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ .Chart.Name }}\", namespace: \"{{ .Release.Namespace }}\"}\ndata: {version: \"{{ .Chart.Version }}\"}\n",
        ),
    ])
}

fn chart(source: &str, name: &str, range: &str) -> Wanted {
    Wanted::Chart { name: name.into(), range: range.into(), source: source.into() }
}

pub(crate) fn index(entries: &str) -> Vec<u8> {
    plain(200, &[], format!("apiVersion: v1\nentries:\n{entries}").as_bytes())
}

#[test]
fn an_http_repository_with_relative_urls_redirects_and_gzip() {
    let other =
        Server::start(|_| [("/far/b-2.0.0.tgz".to_owned(), plain(200, &[], &package("b", "2.0.0")))].into());
    let target = format!("{}/far/b-2.0.0.tgz", other.url());
    let server = Server::start(move |_| {
        let text = "  a:\n  - {version: 1.0.0, urls: [a-1.0.0.tgz]}\n  - {version: 1.2.0, urls: [../x/a-1.2.0.tgz]}\n  b:\n  - {version: 2.0.0, urls: [b-2.0.0.tgz]}\n";
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(format!("entries:\n{text}").as_bytes()).expect("memory");
        let packed = gzip.finish().expect("memory");
        [
            ("/charts/index.yaml".to_owned(), plain(200, &[("content-encoding", "gzip")], &packed)),
            ("/x/a-1.2.0.tgz".to_owned(), plain(200, &[], &package("a", "1.2.0"))),
            ("login /charts/b-2.0.0.tgz".to_owned(), Vec::new()),
            ("/charts/b-2.0.0.tgz".to_owned(), plain(302, &[("location", &target)], b"")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[(&format!("STACKC_LOGIN_127_0_0_1_{}", server.port), "me:secret")]);
    let packages = packages(&home);
    let source = format!("{}/charts", server.url());
    let wanted = chart(&source, "a", "^1");
    let pinned = packages.resolve(&wanted).expect("a version");
    assert_eq!(
        (pinned.version.as_str(), &pinned.digest),
        ("1.2.0", &ContentDigest::of(&package("a", "1.2.0")))
    );
    assert_eq!(packages.fetch(&wanted, &pinned).expect("bytes"), package("a", "1.2.0"));
    assert_eq!(packages.newer(&wanted, "1.0.0").expect("a list"), ["1.2.0"]);
    // The redirect leads to another host: the login must not go along.
    assert_eq!(
        packages
            .fetch(
                &chart(&source, "b", "2.0.0"),
                &packages.resolve(&chart(&source, "b", "2.0.0")).expect("b")
            )
            .expect("bytes"),
        package("b", "2.0.0")
    );
    assert!(
        server.seen().iter().any(|line| line == "/charts/b-2.0.0.tgz Basic bWU6c2VjcmV0"),
        "{:?}",
        server.seen()
    );
    assert!(
        other.seen().iter().all(|line| line.ends_with(" -")),
        "credentials reached another host: {:?}",
        other.seen()
    );
    assert!(
        server.seen().iter().all(|line| !line.starts_with("/charts/index.yaml Basic")),
        "credentials unasked for"
    );
}

#[test]
fn what_servers_get_wrong_is_said_and_never_cached() {
    let server = Server::start(|port| {
        let mut short = plain(200, &[], b"0123456789");
        short.truncate(short.len() - 5);
        [
            ("/index.yaml".to_owned(), index(
                "  cut:\n  - {version: 1.0.0, urls: [cut.tgz]}\n  gone:\n  - {version: 1.0.0, urls: [gone.tgz]}\n  \
                 loop:\n  - {version: 1.0.0, urls: [loop.tgz]}\n  \
                 lie:\n  - {version: 1.0.0, urls: [lie.tgz], digest: '0000000000000000000000000000000000000000000000000000000000000000'}\n  \
                 file:\n  - {version: 1.0.0, urls: ['file:///etc/passwd']}\n  odd: 7\n")),
            ("/cut.tgz".to_owned(), short),
            ("/lie.tgz".to_owned(), plain(200, &[], b"other bytes")),
            ("/loop.tgz".to_owned(), plain(302, &[("location", &format!("http://127.0.0.1:{port}/loop.tgz"))], b"")),
            ("/broken/index.yaml".to_owned(), plain(200, &[], b"entries: [")),
            ("/bomb/index.yaml".to_owned(), index("  a: &a [x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n  e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n  f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n  g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n  h: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let packages = packages(&home);
    let root = server.url();
    let fails = |wanted: &Wanted| packages.resolve(wanted).expect_err("an error");
    let cut = fails(&chart(&root, "cut", "1.0.0"));
    assert!(
        matches!(&cut, PackageError::Exchange { words, .. } if words.ends_with("(after 4 attempts)")),
        "{cut}"
    );
    assert!(matches!(fails(&chart(&root, "gone", "1.0.0")), PackageError::Status { status: 404, .. }));
    assert!(matches!(fails(&chart(&root, "lie", "1.0.0")), PackageError::Stated { .. }));
    assert!(fails(&chart(&root, "loop", "1.0.0")).to_string().contains("redirects"));
    assert!(matches!(fails(&chart(&root, "file", "1.0.0")), PackageError::NoSuchVersion { .. }));
    assert!(matches!(fails(&chart(&root, "odd", "1.0.0")), PackageError::Malformed { .. }));
    assert_eq!(
        fails(&chart(&root, "oddd", "1.0.0")),
        PackageError::NoSuchChart {
            name: "oddd".into(),
            source: format!("{root}/index.yaml"),
            near: Some("odd".into())
        }
    );
    assert!(matches!(fails(&chart(&root, "cut", "^2")), PackageError::NoSuchVersion { .. }));
    assert!(matches!(fails(&chart(&format!("{root}/broken"), "a", "1")), PackageError::Malformed { .. }));
    assert!(matches!(fails(&chart(&format!("{root}/bomb"), "h", "1")), PackageError::Malformed { .. }));
    assert!(matches!(fails(&chart("http://127.0.0.1:1", "a", "1")), PackageError::Exchange { .. }));
    assert!(!folder.path().join("cache").exists(), "nothing of this may be in the cache");
}

#[test]
fn what_may_get_better_is_asked_for_again() {
    let server = Server::start(|_| {
        let mut short = plain(200, &[], &package("a", "1.1.0"));
        short.truncate(short.len() - 5);
        let charts = ["1.0.0", "1.1.0", "1.2.0"]
            .map(|version| (format!("/a-{version}.tgz"), plain(200, &[], &package("a", version))));
        let list = "  a:\n  - {version: 1.0.0, urls: [a-1.0.0.tgz]}\n  - {version: 1.1.0, urls: [a-1.1.0.tgz]}\n  - {version: 1.2.0, urls: [a-1.2.0.tgz]}\n  \
                    down:\n  - {version: 1.0.0, urls: [down.tgz]}\n  closed:\n  - {version: 1.0.0, urls: [closed.tgz]}\n";
        let more = [
            ("first /index.yaml".to_owned(), plain(503, &[], b"starting")),
            ("/index.yaml".to_owned(), index(list)),
            ("first /a-1.0.0.tgz".to_owned(), plain(429, &[("retry-after", "9")], b"slowly")),
            ("first /a-1.1.0.tgz".to_owned(), short),
            // The connection is closed without a word.
            ("first /a-1.2.0.tgz".to_owned(), Vec::new()),
            ("/down.tgz".to_owned(), plain(502, &[], b"")),
            ("/closed.tgz".to_owned(), plain(429, &[("retry-after", "3600")], b"")),
        ];
        charts.into_iter().chain(more).collect()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let pauses = Arc::default();
    let home = home(&folder, &[]).with_pauses(Arc::clone(&pauses));
    let packages = packages(&home);
    let resolve = |name: &str, version: &str| packages.resolve(&chart(&server.url(), name, version));
    let paused = || {
        std::mem::take(&mut *pauses.lock().expect("pauses"))
            .iter()
            .map(Duration::as_millis)
            .collect::<Vec<_>>()
    };
    for (version, expected) in [("1.0.0", vec![500, 9000]), ("1.1.0", vec![500]), ("1.2.0", vec![500])] {
        let pinned = resolve("a", version).unwrap_or_else(|error| panic!("{version}: {error}"));
        assert_eq!(pinned.digest, ContentDigest::of(&package("a", version)));
        assert_eq!(paused(), expected, "{version}");
    }
    let down = resolve("down", "1.0.0").expect_err("an error");
    assert!(matches!(down, PackageError::Status { status: 502, tries: 4, .. }), "{down}");
    assert_eq!(paused(), [500, 2000, 5000]);
    assert!(down.to_string().contains("answered 502 to each of 4 attempts"), "{down}");
    let closed = resolve("closed", "1.0.0").expect_err("an error");
    assert!(matches!(closed, PackageError::Status { status: 429, tries: 1, .. }), "{closed}");
    assert_eq!(paused(), Vec::<u128>::new(), "nobody waits for an hour");
    assert!(matches!(resolve("a", "9.9.9"), Err(PackageError::NoSuchVersion { .. })));
    assert_eq!(server.seen().iter().filter(|line| line.starts_with("/index.yaml")).count(), 2);
}

#[test]
fn an_index_of_a_registry_leads_to_its_one_chart() {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
    let archive = package("app", "1.0.0");
    let layer = ContentDigest::of(&archive);
    let manifest = |config: &str, comment: &str| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{config}"}},"annotations":{{"a":"{comment}"}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{layer}"}}]}}"#
        )
    };
    let (one, two) = (manifest(CONFIG, "one"), manifest(CONFIG, "two"));
    let image = manifest("application/vnd.oci.image.config.v1+json", "image");
    let entry = |text: &str, artifact: Option<&str>| {
        let artifact = artifact.map_or(String::new(), |kind| format!(r#","artifactType":"{kind}""#));
        format!(r#"{{"mediaType":"{MANIFEST}","digest":"{}"{artifact}}}"#, ContentDigest::of(text.as_bytes()))
    };
    let list = |entries: &[String]| {
        format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
            entries.join(",")
        )
    };
    let lists = [
        ("1.0.0", list(&[entry(&image, None), entry(&one, None)])),
        ("1.0.1", list(&[entry(&two, Some("application/example")), entry(&one, Some(CONFIG))])),
        ("1.0.2", list(&[entry(&one, None), entry(&two, None)])),
        ("1.0.3", list(&[entry(&image, None)])),
        ("1.0.4", list(&[entry("lost", None)])),
    ];
    let registry = Server::start(|_| {
        let base = "/v2/charts/app";
        let tags = lists.iter().map(|(tag, text)| (format!("{base}/manifests/{tag}"), text));
        let digests = [&one, &two, &image]
            .into_iter()
            .map(|text| (format!("{base}/manifests/{}", ContentDigest::of(text.as_bytes())), text));
        let manifests = tags.chain(digests).map(|(path, text)| (path, plain(200, &[], text.as_bytes())));
        manifests.chain([(format!("{base}/blobs/{layer}"), plain(200, &[], &archive))]).collect()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let packages = packages(&home);
    let source = format!("oci://127.0.0.1:{}/charts", registry.port);
    // Each index holds the same chart, whose version is that of the first tag: the others are looked into by hand.
    let pinned = packages.resolve(&chart(&source, "app", "1.0.0")).expect("the one chart");
    assert_eq!(
        (pinned.digest.clone(), pinned.manifest.clone()),
        (layer.clone(), Some(ContentDigest::of(one.as_bytes())))
    );
    std::fs::remove_dir_all(folder.path().join("cache")).expect("a cache");
    assert_eq!(packages.fetch(&chart(&source, "app", "1.0.0"), &pinned).expect("bytes"), archive);
    let words = |tag: &str| packages.resolve(&chart(&source, "app", tag)).expect_err("an error").to_string();
    assert!(
        words("1.0.1").contains("the archive says that it holds `app` 1.0.0"),
        "the chart was found: {}",
        words("1.0.1")
    );
    assert!(words("1.0.2").contains("several Helm charts"), "{}", words("1.0.2"));
    assert!(words("1.0.3").contains("no Helm chart among the manifests"), "{}", words("1.0.3"));
    assert!(words("1.0.4").contains("404"), "{}", words("1.0.4"));
}

#[test]
fn bytes_that_changed_behind_a_pin_are_refused_and_offline_asks_nobody() {
    let server = Server::start(|_| {
        [
            ("/index.yaml".to_owned(), index("  a:\n  - {version: 1.0.0, urls: [a.tgz]}\n")),
            ("/a.tgz".to_owned(), plain(200, &[], b"new bytes")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let wanted = chart(&server.url(), "a", "1.0.0");
    let pinned = Pinned {
        version: "1.0.0".into(),
        digest: ContentDigest::of(b"old bytes"),
        manifest: None,
        commit: None,
    };
    let error = packages(&home).fetch(&wanted, &pinned).expect_err("other bytes");
    let words = error.to_string();
    assert!(
        words.contains(pinned.digest.as_str()) && words.contains(ContentDigest::of(b"new bytes").as_str()),
        "{words}"
    );
    assert!(!folder.path().join("cache").exists());

    let offline = Packages::new(&home, Cache::open(&home), None, Network::Off);
    let before = server.seen().len();
    assert!(matches!(offline.fetch(&wanted, &pinned), Err(PackageError::Offline(_))));
    assert_eq!(server.seen().len(), before, "offline asked the server");
}

#[test]
fn a_mirror_stands_for_the_network() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let mirror = Utf8PathBuf::from_path_buf(folder.path().join("mirror")).expect("UTF-8");
    for (name, bytes) in [
        ("cert-manager-v1.17.2.tgz", package("cert-manager", "v1.17.2")),
        ("cert-manager-webhook-hetzner-1.4.0.tgz", package("cert-manager-webhook-hetzner", "1.4.0")),
        ("manifests/gateway-api-v1.3.0-standard.yaml", b"c".to_vec()),
    ] {
        home.write(&mirror.join(name), &bytes).expect("room");
    }
    let packages = Packages::new(&home, Cache::open(&home), Some(mirror), Network::Off);
    let pinned =
        packages.resolve(&chart("https://charts.jetstack.io", "cert-manager", "v1.17.2")).expect("a version");
    assert_eq!(pinned.digest, ContentDigest::of(&package("cert-manager", "v1.17.2")));
    let url = "https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.3.0/standard-install.yaml";
    let pinned = packages.resolve(&Wanted::Manifest { url: url.into() }).expect("a file");
    assert_eq!(pinned.digest, ContentDigest::of(b"c"));
    assert!(matches!(
        packages.resolve(&chart("https://charts.jetstack.io", "cert-manger", "1")),
        Err(PackageError::NoSuchChart { near: Some(near), .. }) if near == "cert-manager"
    ));
}

#[test]
fn a_registry_with_tokens_gets_the_token_and_its_realm_the_login() {
    let archive = package("app", "1.0.0");
    let layer = ContentDigest::of(&archive);
    let manifest = format!(
        r#"{{"schemaVersion":2,"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{layer}"}}]}}"#
    );
    let storage = Server::start(|_| [("/blob".to_owned(), plain(200, &[], &archive))].into());
    let realm = Server::start(|_| {
        [(
            "/token?service=r&scope=repository%3Acharts%2Fapp%3Apull".to_owned(),
            plain(200, &[], br#"{"token":"t0ken"}"#),
        )]
        .into()
    });
    let (realm_url, blob_url) = (realm.url(), format!("{}/blob", storage.url()));
    let registry = Server::start(|_| {
        let challenge = format!(
            "challenge Bearer realm=\"{realm_url}/token\",service=\"r\",scope=\"repository:charts/app:pull\""
        );
        let blob = format!("/v2/charts/app/blobs/{layer}");
        [
            (format!("login {blob}"), challenge.clone().into_bytes()),
            ("login /v2/charts/app/manifests/1.0.0".to_owned(), challenge.into_bytes()),
            ("/v2/charts/app/manifests/1.0.0".to_owned(), plain(200, &[], manifest.as_bytes())),
            (blob, plain(307, &[("location", &blob_url)], b"")),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[(&format!("STACKC_LOGIN_127_0_0_1_{}", registry.port), "me:secret")]);
    let wanted = chart(&format!("oci://127.0.0.1:{}/charts", registry.port), "app", "1.0.0");
    let pinned = packages(&home).resolve(&wanted).expect("a version");
    assert_eq!(pinned.manifest, Some(ContentDigest::of(manifest.as_bytes())));
    assert!(realm.seen().iter().all(|line| line.ends_with("Basic bWU6c2VjcmV0")), "{:?}", realm.seen());
    assert!(registry.seen().iter().any(|line| line.ends_with("Bearer t0ken")), "{:?}", registry.seen());
    assert!(registry.seen().iter().all(|line| !line.contains("Basic")), "{:?}", registry.seen());
    assert_eq!(storage.seen(), ["/blob -"], "the token went to another host");
}

#[test]
fn an_index_of_twenty_megabytes_is_read_in_the_part_that_is_wanted() {
    let entry = "    - apiVersion: v2\n      created: \"2024-01-01T00:00:00Z\"\n      description: one of very many charts, described at some length\n      digest: \"0\"\n      urls:\n      - https://charts.example.org/x.tgz\n      version: 1.0.0\n";
    let mut text = String::new();
    for number in 0..4000 {
        text.push_str(&format!("  chart-{number}:\n{}", entry.repeat(25)));
    }
    text.push_str("  app:\n  - {version: 1.0.0, urls: [app.tgz]}\n");
    assert!(text.len() > 20_000_000);
    let server = Server::start(|_| {
        [
            ("/index.yaml".to_owned(), index(&text)),
            ("/app.tgz".to_owned(), plain(200, &[], &package("app", "1.0.0"))),
        ]
        .into()
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let packages = packages(&home);
    assert_eq!(packages.resolve(&chart(&server.url(), "app", "^1")).expect("a version").version, "1.0.0");
    assert!(matches!(
        packages.resolve(&chart(&server.url(), "chart-77x", "1")),
        Err(PackageError::NoSuchChart { near: Some(_), .. })
    ));
    assert_eq!(server.seen().iter().filter(|line| line.starts_with("/index.yaml")).count(), 1);
}

#[test]
fn a_chart_in_git_has_the_same_digest_from_every_clone() {
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    let root = Utf8PathBuf::from_path_buf(folder.path().join("repository")).expect("UTF-8");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .args(["-C", root.as_str(), "-c", "user.name=t", "-c", "user.email=t@example.org"])
            .args(arguments)
            .output()
            .expect("git");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("text").trim().to_owned()
    };
    for (name, text) in [
        ("charts/app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.2.0\n"),
        ("charts/app/templates/a.yaml", "a: 1\n"),
    ] {
        home.write(&root.join(name), text.as_bytes()).expect("room");
    }
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    git(&["tag", "-a", "v1.2.0", "-m", "one"]);
    git(&["tag", "v1.3.0"]);
    let commit = git(&["rev-parse", "HEAD"]);
    let wanted = chart(&format!("git+file://{root}?v1.2.0#charts"), "app", "^1.2");
    let one = packages(&home).resolve(&wanted).expect("a version");
    assert_eq!((one.version.as_str(), one.commit.as_deref()), ("1.2.0", Some(commit.as_str())));
    std::fs::remove_dir_all(folder.path().join("cache")).expect("a cache");
    assert_eq!(ContentDigest::of(&packages(&home).fetch(&wanted, &one).expect("bytes")), one.digest);
    assert_eq!(packages(&home).newer(&wanted, "1.2.0").expect("tags"), ["1.3.0"]);
    let missing = chart(&format!("git+file://{root}?v9#charts"), "app", "^1.2");
    assert!(matches!(packages(&home).resolve(&missing), Err(PackageError::NoSuchVersion { .. })));
    let other = chart(&format!("git+file://{root}?v1.2.0#charts"), "app", "^2");
    assert!(matches!(packages(&home).resolve(&other), Err(PackageError::NoSuchVersion { .. })));
}

#[test]
fn archives_that_are_traps_are_not_pinned() {
    let chart_yaml = ("a/Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");
    let five = "x".repeat(5 * 1024 * 1024);
    let names: Vec<String> = (0..21).map(|number| format!("a/{number}")).collect();
    let bomb: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), five.as_str())).collect();
    let large = "x".repeat(6 * 1024 * 1024);
    let traps: [(&str, Vec<u8>); 7] = [
        ("climbs", packed(&[chart_yaml, ("a/../../etc/passwd", "x")])),
        ("absolute", packed(&[chart_yaml, ("a//etc/passwd", "x")])),
        ("bomb", packed(&bomb)),
        ("large", packed(&[chart_yaml, ("a/values.yaml", &large)])),
        ("page", b"<html>log in</html>".to_vec()),
        ("other", package("b", "1.0.0")),
        ("older", package("a", "0.9.0")),
    ];
    let server = Server::start(|_| {
        let mut script = Script::new();
        for (name, bytes) in &traps {
            script
                .insert(format!("/{name}/index.yaml"), index("  a:\n  - {version: 1.0.0, urls: [a.tgz]}\n"));
            script.insert(format!("/{name}/a.tgz"), plain(200, &[], bytes));
        }
        script
    });
    let folder = tempfile::tempdir().expect("a folder");
    let home = home(&folder, &[]);
    for (name, _) in &traps {
        let found = packages(&home).resolve(&chart(&format!("{}/{name}", server.url()), "a", "1.0.0"));
        assert!(matches!(found, Err(PackageError::Malformed { .. })), "{name}: {found:?}");
    }
    assert!(!folder.path().join("cache").exists(), "nothing of this may be in the cache");
}

/// A registry process that ends with the test.
struct Registry {
    child: Child,
    port: u16,
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn registry(folder: &tempfile::TempDir) -> Option<Registry> {
    let port = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?.port();
    let config = folder.path().join("registry.yml");
    std::fs::write(
        &config,
        format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdir: {}}}}}\nhttp: {{addr: '127.0.0.1:{port}'}}\n",
            folder.path().join("store").display()
        ),
    )
    .ok()?;
    let child = Command::new("docker-registry")
        .args(["serve", config.to_str()?])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let registry = Registry { child, port };
    for _ in 0..100 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Some(registry);
        }
        thread::sleep(Duration::from_millis(50));
    }
    None
}

/// One raw request, answered with status and headers.
fn raw(port: u16, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the registry");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a write");
    stream.write_all(body).expect("a write");
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).expect("a reply");
    let text = String::from_utf8_lossy(&reply).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, text)
}

fn push_blob(port: u16, name: &str, bytes: &[u8]) -> ContentDigest {
    let digest = ContentDigest::of(bytes);
    let (status, reply) =
        raw(port, "POST", &format!("/v2/{name}/blobs/uploads/"), "application/octet-stream", b"");
    assert_eq!(status, 202, "{reply}");
    let location = reply
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().starts_with("location:").then(|| line[9..].trim().to_owned())
        })
        .expect("a location");
    let path = location.split_once(&format!(":{port}")).map_or(location.clone(), |(_, path)| path.to_owned());
    let joint = if path.contains('?') { '&' } else { '?' };
    let (status, reply) =
        raw(port, "PUT", &format!("{path}{joint}digest={digest}"), "application/octet-stream", bytes);
    assert_eq!(status, 201, "{reply}");
    digest
}

#[test]
fn a_real_registry_gives_what_was_pushed() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(registry) = registry(&folder) else {
        eprintln!("SKIPPED: no `docker-registry` on this machine, OCI is not tried against a real registry");
        return;
    };
    let (port, name) = (registry.port, "charts/app");
    let archive = package("app", "1.1.0+build.5");
    let layer = push_blob(port, name, &archive);
    let config = push_blob(port, name, b"{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"{layer}","size":{size}}}]}}"#,
        size = archive.len()
    );
    for tag in ["1.0.0", "1.1.0_build.5", "latest"] {
        let kind = "application/vnd.oci.image.manifest.v1+json";
        let (status, reply) =
            raw(port, "PUT", &format!("/v2/{name}/manifests/{tag}"), kind, manifest.as_bytes());
        assert_eq!(status, 201, "{reply}");
    }
    let home = home(&folder, &[]);
    let packages = packages(&home);
    let wanted = chart(&format!("oci://127.0.0.1:{port}/charts"), "app", "^1.0");
    let pinned = packages.resolve(&wanted).expect("a version");
    assert_eq!(pinned.version, "1.1.0+build.5");
    assert_eq!(pinned.digest, layer);
    assert_eq!(pinned.manifest, Some(ContentDigest::of(manifest.as_bytes())));
    std::fs::remove_dir_all(folder.path().join("cache")).expect("a cache");
    assert_eq!(packages.fetch(&wanted, &pinned).expect("bytes"), archive);
    let missing = chart(&format!("oci://127.0.0.1:{port}/charts"), "nothing", "1");
    assert!(matches!(packages.resolve(&missing), Err(PackageError::Status { status: 404, .. })));
}
