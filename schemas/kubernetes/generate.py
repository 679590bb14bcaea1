#!/usr/bin/env python3
"""Makes kinds.txt and merge-keys.txt from the sources of k8s.io/api, apimachinery and apiextensions-apiserver.

usage: generate.py API_DIR APIMACHINERY_DIR APIEXTENSIONS_DIR   (folders of the Go modules, one Kubernetes version)

Only facts are taken: which kinds there are, their scope and the releases that serve them, and the merge keys of
lists. No prose of the sources is copied.
"""
import glob
import os
import re
import sys

API, MACHINERY, EXTENSIONS = sys.argv[1:4]
OUT = os.path.dirname(os.path.abspath(__file__))
GROUPS = {
    "core": "", "rbac": "rbac.authorization.k8s.io",
    **{name: name + ".k8s.io" for name in (
        "admissionregistration", "authentication", "authorization", "certificates", "coordination", "discovery",
        "events", "networking", "node", "resource", "scheduling", "storage", "storagemigration", "apiextensions")},
    "flowcontrol": "flowcontrol.apiserver.k8s.io",
}
# Served to clients as objects that can be applied; reviews, options and the like are not.
SKIP_GROUPS = {"admission", "apidiscovery", "apiserverinternal", "imagepolicy", "authentication", "authorization", "extensions"}
SKIP_KINDS = {"Binding", "ComponentStatus", "Scale", "Eviction", "ConversionReview", "DeploymentRollback",
              "SerializedReference", "RangeAllocation", "ObjectReference", "PodStatusResult"}

# Gone without a mark in the sources.
REMOVED = {("rbac", "v1alpha1"): "1.22", ("node", "v1alpha1"): "1.22"}


def files():
    yield from sorted(glob.glob(API + "/*/*/types.go"))
    yield EXTENSIONS + "/pkg/apis/apiextensions/v1/types.go"


def lifecycle(path):
    """kind -> (introduced, removed) of the generated life-cycle file beside a types.go."""
    out = {}
    generated = os.path.join(os.path.dirname(path), "zz_generated.prerelease-lifecycle.go")
    if os.path.exists(generated):
        pattern = r"func \(in \*(\w+)\) APILifecycle(Introduced|Removed)\(\) \(major, minor int\) {\s*return (\d+), (\d+)"
        for kind, what, major, minor in re.findall(pattern, open(generated).read()):
            out.setdefault(kind, {})[what] = f"{major}.{minor}"
    return out


kinds = {}
structs = {}
for path in files():
    parts = path.split("/")
    package, version = parts[-3], parts[-2]
    text = open(path).read()
    cycle = lifecycle(path)
    for match in re.finditer(r"((?:^[ \t]*//[^\n]*\n|^\s*\n)*)^type (\w+) struct {\n(.*?)^}", text, re.M | re.S):
        comment, name, body = match.groups()
        structs[f"{package}/{version}.{name}"] = body
        if ("interfaces=k8s.io/apimachinery/pkg/runtime.Object" not in comment or name.endswith(("List", "Options"))
                or package in SKIP_GROUPS or name in SKIP_KINDS):
            continue
        group = GROUPS.get(package, package)
        entry = kinds.setdefault((group, name), {"cluster": False, "versions": []})
        entry["cluster"] |= "nonNamespaced" in comment
        facts = cycle.get(name, {})
        entry["versions"].append((version, facts.get("Introduced", "1.0"),
                                  facts.get("Removed") or REMOVED.get((package, version)), f"{package}/{version}.{name}"))
for name in ("ResourceSlice",):
    assert kinds[("resource.k8s.io", name)]["cluster"]
kinds[("apiregistration.k8s.io", "APIService")] = {"cluster": True, "versions": [("v1", "1.10", None, "")]}


def rank(version):
    stage = {"": 2, "beta": 1, "alpha": 0}
    major, kind, minor = re.fullmatch(r"v(\d+)(?:(alpha|beta)(\d+))?", version).groups()
    return (-stage[kind or ""], -int(major), -int(minor or 0))


with open(OUT + "/kinds.txt", "w") as out:
    out.write("# group (or -) kind scope version[>=introduced][<removed]...   made by generate.py\n")
    for (group, name), entry in sorted(kinds.items()):
        versions = []
        for version, introduced, removed, _ in sorted(entry["versions"], key=lambda item: rank(item[0])):
            old = tuple(map(int, introduced.split("."))) <= (1, 28)
            gone = removed and tuple(map(int, removed.split("."))) <= (1, 25)
            if not gone or len(entry["versions"]) > 1:
                versions.append(version + ("" if old else ">=" + introduced) + ("<" + removed if removed else ""))
        out.write(" ".join([group or "-", name, "cluster" if entry["cluster"] else "namespaced", *versions]) + "\n")

for path in (MACHINERY + "/pkg/apis/meta/v1/types.go",):
    for name, body in re.findall(r"^type (\w+) struct {\n(.*?)^}", open(path).read(), re.M | re.S):
        structs[f"meta/v1.{name}"] = body


def fields(key):
    """(json name, list?, type key or None, merge key or '' or None, inline?) of a struct."""
    package = key.split(".")[0]
    for line in structs[key].splitlines():
        match = re.match(r'\s*(?:\w+\s+)?([\[\]*\w.]+)\s+`([^`]*)`', line)
        if not match:
            continue
        kind, tags = match.groups()
        json = re.search(r'json:"([^",]*)([^"]*)"', tags)
        if not json:
            continue
        strategy = re.search(r'patchStrategy:"([^"]*)"', tags)
        merge = re.search(r'patchMergeKey:"([^"]*)"', tags)
        plain = kind.replace("*", "")
        is_list = plain.startswith("[]")
        plain = plain.removeprefix("[]")
        if "[" in plain:
            continue
        prefixes = {"v1": "core/v1", "metav1": "meta/v1"}
        if "." in plain:
            alias, name = plain.split(".", 1)
            target = f"{prefixes.get(alias, '?')}.{name}"
        else:
            target = f"{package}.{plain}"
        target = target if target in structs else None
        merges = bool(strategy and "merge" in strategy.group(1).split(","))
        retain = bool(strategy and "retainKeys" in strategy.group(1))
        yield json.group(1), is_list, target, (merge.group(1) if merge else "") if merges else None, retain, "inline" in json.group(2)


memo = {}


def table(key, seen=()):
    """json name -> (type, merge key, retain) of the fields that lead to a merged list."""
    if key in memo:
        return memo[key]
    if key in seen:
        return {}
    out = {}
    for name, is_list, target, merge, retain, inline in fields(key):
        below = table(target, (*seen, key)) if target else {}
        if inline and not name:
            out.update(below)
        elif is_list and merge is not None:
            out[name] = (target if below else None, merge, retain)
        elif not is_list and (below or retain):
            out[name] = (target if below else None, None, retain)
    memo[key] = out
    return out


needed, lines = set(), []


def need(key):
    if key in needed or not table(key):
        return
    needed.add(key)
    for target, _, _ in table(key).values():
        if target:
            need(target)


roots = []
for (group, name), entry in sorted(kinds.items()):
    best = sorted(entry["versions"], key=lambda item: rank(item[0]))[0][3]
    if best and table(best):
        roots.append(f"kind {group or '-'} {name} {best}")
        need(best)
with open(OUT + "/merge-keys.txt", "w") as out:
    out.write("# kind GROUP KIND TYPE; type TYPE field[:TYPE][@mergeKey]...: @ merged list (no key: of scalars)   made by generate.py\n")
    out.write("".join(line + "\n" for line in roots))
    for key in sorted(needed):
        parts = []
        for name, (target, merge, retain) in sorted(table(key).items()):
            parts.append(name + (":" + target if target else "") + ("" if merge is None else "@" + merge))
        out.write("type " + key + " " + " ".join(parts) + "\n")
