//! `stackc init`: a project that builds.

use super::session::{Outcome, Telling, at};
use crate::cli::arguments::{FindingsFormat, Global, Init};
use crate::cli::{Console, Exit};
use crate::load::fields::{invalid_label, is_label};
use crate::load::{PROJECT_SCHEMA, library, overlay_schema};
use crate::world::{World, clean};
use camino::Utf8Path;

pub(super) fn run(global: &Global, options: &Init, world: &dyn World, console: &mut Console<'_>) -> Exit {
    let asked =
        global.project.as_ref().map_or_else(|| options.folder.clone(), |base| base.join(&options.folder));
    let folder = world.root().map_or_else(|| asked.clone(), |root| clean(&root.join(&asked)));
    let name = options.name.clone().unwrap_or_else(|| slug(folder.file_name().unwrap_or("")));
    at(&asked, Telling::Beside(FindingsFormat::Human), world, console, |session| {
        if !is_label(&name, 53) {
            return Err(session.sink.report(invalid_label(&name, "a project", 53, None)));
        }
        let mut status = Vec::new();
        let library = library(&session.world, &session.sources, &mut session.sink);
        let schemas = [
            (".stackc/overlay.schema.json", format!("{:#}\n", overlay_schema(&library, &session.sources))),
            (".stackc/project.schema.json", PROJECT_SCHEMA.to_owned()),
        ];
        for (path, text) in files(&name).into_iter().chain(schemas) {
            let path = Utf8Path::new(path);
            if session.world.kind(path).is_some() {
                status.push(format!("kept  {path}, which exists already"));
                continue;
            }
            session.write(path, &text)?;
            status.push(format!("wrote {path}"));
        }
        let step =
            if asked == Utf8Path::new(".") { String::new() } else { format!("cd {} && ", clean(&asked)) };
        status.push(format!("\nNext: {step}stackc build\nThen change overlays/dev/overlay.yaml; `stackc stack list` prints what can stand in it."));
        Ok(Outcome::status(status))
    })
}

/// A DNS label from a folder's name.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out = out.trim_matches('-');
    if out.is_empty() {
        "cluster".to_owned()
    } else {
        out.chars().take(53).collect::<String>().trim_end_matches('-').to_owned()
    }
}

fn files(name: &str) -> Vec<(&'static str, String)> {
    vec![
        (
            "stackc.yaml",
            format!(
                "apiVersion: stackc.dev/v1alpha1\n\
                 kind: Project\n\
                 metadata: {{name: {name}}}\n\
                 spec:\n  \
                   # `stackc build` writes into `dist/`, to be committed here. Flux reads paths from the root of a repository, so they\n  \
                   # begin with `prefix`. For a branch or repository of its own (`stackc publish`): {{dir: dist}}, without a prefix.\n  \
                   output: {{dir: ., prefix: dist}}\n"
            ),
        ),
        ("overlays/dev/overlay.yaml", OVERLAY.to_owned()),
        (".vscode/settings.json", EDITOR.to_owned()),
        (".gitattributes", "# CRDs are long and nobody's own: collapse them in pull requests.\ndist/envs/**/crd-*.yaml linguist-generated=true\n# A list that a build makes anew: keep one side instead of merging its lines.\ndist/envs/*/.stackc-files -merge\n".to_owned()),
    ]
}

/// Where editors find the schemas that `stackc schema` writes.
const EDITOR: &str = "\
{
  \"yaml.schemas\": {
    \".stackc/overlay.schema.json\": \"overlays/**/overlay.yaml\",
    \".stackc/project.schema.json\": \"stackc.yaml\"
  }
}
";

/// One node, certificates and an application: small enough to read, real enough to deploy.
const OVERLAY: &str = "\
# An environment: which stacks, with which inputs. `stackc explain -e dev hello.replicas` explains an input.
apiVersion: stackc.dev/v1alpha1
kind: Overlay
metadata: {name: dev}
spec:
  environment: development
  kubernetes: \"1.34\"
  stacks:
    k3s:
      version: v1.34.4+k3s1
      nodes:
        node: {role: server, arch: amd64, privateIP: 192.168.1.10}
    cert-manager: {}
    cluster-issuers:
      email: you@example.com
      issuers:
        letsencrypt-staging: {server: \"https://acme-staging-v02.api.letsencrypt.org/directory\", solvers: [{http01: {}}]}
    hello:
      stack: web-app
      namespace: hello
      image: {repository: docker.io/traefik/whoami, tag: v1.11.0}
      port: 8080
      env: {WHOAMI_PORT_NUMBER: \"8080\"}
      security: {runAsUser: 65532}     # the image names no user, and would run as root
      replicas: 1
      ingress: {host: hello.example.com, issuer: letsencrypt-staging}
  deliver: {charts: release}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_labels() {
        assert_eq!(slug("My Cluster_2"), "my-cluster-2");
        assert_eq!(slug("---"), "cluster");
    }
}
