//! The schemas of this repository say nothing that they cannot say.

use stackc::diag::{Severity, Sink};
use stackc::schema::Schema;
use stackc::source::Sources;
use stackc::yaml;
use std::path::Path;

#[test]
fn every_schema_compiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of schemas")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".schema.json"))
        .collect();
    names.sort();
    assert!(names.len() > 10, "{names:?}");
    let mut wrong = Vec::new();
    for path in names {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).expect("a readable schema");
        let sources = Sources::new();
        let file = sources.add(name.as_str(), text.as_str());
        let node = yaml::read(file, &text, yaml::Options::STRICT).expect("a schema that is JSON");
        let mut sink = Sink::new();
        if Schema::compile(&node, &mut sink).is_err() {
            wrong.extend(
                sink.into_found().into_iter().filter(|finding| finding.severity == Severity::Error).map(
                    |finding| {
                        let place =
                            finding.primary.map(|label| sources.place(label.span)).unwrap_or_default();
                        format!("{place}: {} {:?}", finding.message, finding.notes)
                    },
                ),
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
