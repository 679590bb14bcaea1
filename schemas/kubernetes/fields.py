#!/usr/bin/env python3
"""Makes fields.txt from the OpenAPI documents of several releases of Kubernetes.

usage: fields.py RELEASE_DIR...   (ascending; each named after its release, as 1.34.4, and holding the unpacked modules
                                   k8s.io/kubernetes, k8s.io/api and k8s.io/apiextensions-apiserver of it)

Only facts are taken: which fields a type has, of which type, in which releases, and the releases in which a field is
dropped because its feature gate is off by default. No prose of the documents is copied.
"""
import glob
import json
import os
import re
import sys

OUT = os.path.dirname(os.path.abspath(__file__))
DIRS = sys.argv[1:]
RELEASES = [tuple(map(int, os.path.basename(folder.rstrip("/")).split(".")[:2])) for folder in DIRS]
assert RELEASES == sorted(RELEASES)

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
EXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
# Types that decode themselves, by what they are called in fields.txt.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "p",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "a",
    META + "FieldsV1": "a", META + "Time": "t", META + "MicroTime": "m",
    EXTENSIONS + "JSON": "a",
    EXTENSIONS + "JSONSchemaPropsOrBool": "ob", EXTENSIONS + "JSONSchemaPropsOrArray": "oa",
    EXTENSIONS + "JSONSchemaPropsOrStringArray": "os",
}
SCALARS = {("string", None): "", ("string", "byte"): "y", ("boolean", None): "b", ("integer", "int32"): "i",
           ("integer", "int64"): "l", ("number", "double"): "n"}
# Gates that the sources name otherwise than the markers of the types do, and fields without a marker.
RENAMED = {"PodCertificateProjection": "PodCertificateRequest"}
UNMARKED = {
    ("core/v1", "Lifecycle", "stopSignal"): ["ContainerStopSignals"],
    ("core/v1", "LifecycleHandler", "sleep"): ["PodLifecycleSleepAction"],
    ("core/v1", "SecurityContext", "procMount"): ["ProcMountType"],
    ("core/v1", "PodSecurityContext", "seLinuxChangePolicy"): ["SELinuxChangePolicy"],
    ("core/v1", "PodSpec", "hostUsers"): ["UserNamespacesSupport"],
    ("core/v1", "PodAffinityTerm", "matchLabelKeys"): ["MatchLabelKeysInPodAffinity"],
    ("core/v1", "PodAffinityTerm", "mismatchLabelKeys"): ["MatchLabelKeysInPodAffinity"],
    ("apps/v1", "RollingUpdateStatefulSetStrategy", "maxUnavailable"): ["MaxUnavailableStatefulSet"],
    ("batch/v1", "JobSpec", "managedBy"): ["JobManagedBy"],
    ("batch/v1", "JobSpec", "successPolicy"): ["JobSuccessPolicy"],
    ("storage/v1", "CSIDriverSpec", "nodeAllocatableUpdatePeriodSeconds"): ["MutableCSINodeAllocatableCount"],
    # Dropped with all that is around it, which the rules of claims know.
    ("core/v1", "TypedObjectReference", "namespace"): [],
}


def served():
    """(group, kind) of kinds.txt."""
    for line in open(OUT + "/kinds.txt"):
        if not line.startswith("#"):
            group, kind = line.split()[:2]
            yield "" if group == "-" else group, kind


def gates(folder, release):
    """gate -> whether it is on by default."""
    out = {}
    for path in glob.glob(folder + "/**/pkg/features/*.go", recursive=True):
        text = open(path).read()
        versioned = r"^\t(?:\w+\.)?(\w+): +\{\n((?:\t\t(?:\{|//).*\n)+)\t\},"
        for gate, body in re.findall(versioned, text, re.M):
            for minor, default in re.findall(r'MustParse\("1\.(\d+)"\), Default: +(\w+)', body):
                if (1, int(minor)) <= release:
                    out[gate] = default == "true"
        for gate, default in re.findall(r"^\t(?:\w+\.)?(\w+): +\{Default: (\w+)", text, re.M):
            out.setdefault(gate, default == "true")
    return out


def markers(folder):
    """(group/version, type, field) -> gates that the field is behind."""
    for path in glob.glob(folder + "/**/types.go", recursive=True):
        package = "/".join(path.split("/")[-3:-1])
        struct, found = None, []
        for line in open(path):
            opened = re.match(r"type (\w+) struct", line)
            struct = opened[1] if opened else struct
            marker = re.search(r"^\s*//\s*\+featureGate=(\S+)", line)
            if marker:
                found += marker[1].split(",")
            elif not line.strip().startswith("//"):
                field = re.search(r'json:"([^",]+)', line)
                if field and found:
                    yield (package, struct, field[1]), found
                found = [] if line.strip() else found


def place(name):
    """group/version of a schema, as the folders of the sources have it."""
    return "/".join(name.split(".")[-3:-1])


def kind_of(schema):
    """What the decoder is told of a schema."""
    if "allOf" in schema:
        return kind_of(schema["allOf"][0])
    if "$ref" in schema:
        name = schema["$ref"].split("/")[-1]
        return SPECIAL.get(name, name)
    if schema.get("type") == "array":
        return "[" + kind_of(schema["items"])
    if "additionalProperties" in schema:
        return "{" + kind_of(schema["additionalProperties"])
    if schema.get("type") in (None, "object"):
        return "a"
    return SCALARS[schema["type"], schema.get("format")]


types = {}      # name -> {release: {field: kind}}
roots = {}      # (group, version, kind) -> name
behind = {}     # (group/version, type, field) -> gates
defaults = {}   # release -> gates
for folder, release in zip(DIRS, RELEASES):
    defaults[release] = gates(folder, release)
    for field, names in markers(folder):
        behind.setdefault(field, names)
    for path in sorted(glob.glob(folder + "/**/api/openapi-spec/v3/*.json", recursive=True)):
        for name, schema in json.load(open(path)).get("components", {}).get("schemas", {}).items():
            if name in SPECIAL:
                continue
            fields = {field: kind_of(below) for field, below in schema.get("properties", {}).items()}
            types.setdefault(name, {})[release] = fields
            for known in schema.get("x-kubernetes-group-version-kind", []):
                roots[known["group"], known["version"], known["kind"]] = name
behind.update(UNMARKED)
wanted = set(served())
roots = {root: name for root, name in roots.items() if (root[0], root[2]) in wanted}


def mark(release):
    return ".".join(map(str, release))


def dropped(name, field, releases):
    """The mark of a field that is decoded and dropped: until its gate is on, or for good."""
    names = behind.get((place(name), name.split(".")[-1], field))
    if not names:
        return ""
    def is_on(release):
        return all(defaults[release].get(RENAMED.get(gate, gate), True) for gate in names)
    off = [release for release in releases if not is_on(release)]
    if not off:
        return ""
    if off[-1] == RELEASES[-1]:
        return "~"
    return "~" + mark(RELEASES[RELEASES.index(off[-1]) + 1])


def lines_of(name):
    """(field, kind, marks) in order."""
    known = sorted(types[name])
    out = {}
    for release in known:
        for field, kind in types[name][release].items():
            out.setdefault((field, kind), []).append(release)
    for (field, kind), releases in sorted(out.items()):
        marks = ""
        if releases[0] != known[0]:
            marks += ">=" + mark(releases[0])
        if releases[-1] != known[-1]:
            marks += "<" + mark(RELEASES[RELEASES.index(releases[-1]) + 1])
        yield field, kind, marks + dropped(name, field, releases)


def struct_of(kind):
    kind = kind.lstrip("[{")
    return kind if kind in types else None


needed, queue = set(), sorted(set(roots.values()))
while queue:
    name = queue.pop()
    if name not in needed:
        needed.add(name)
        queue += [below for _, kind, _ in lines_of(name) if (below := struct_of(kind))]

# Types of one content are written once: alike are those whose lines are, until nothing changes.
alike = {name: name.split(".")[-1] for name in needed}
while True:
    def content(name):
        return (name.split(".")[-1], tuple(
            (field, kind.replace(below, alike[below]) if (below := struct_of(kind)) else kind, marks)
            for field, kind, marks in lines_of(name)))
    groups = {}
    for name in sorted(needed):
        groups.setdefault(content(name), []).append(name)
    fresh, taken = {}, set()
    for (short, _), names in sorted(groups.items(), key=lambda item: item[1]):
        label, count = short, 2
        while label in taken:
            label, count = f"{short}{count}", count + 1
        taken.add(label)
        fresh.update(dict.fromkeys(names, label))
    if fresh == alike:
        break
    alike = fresh

with open(OUT + "/fields.txt", "w") as out:
    out.write(f"# {mark(RELEASES[0])} {mark(RELEASES[-1])}   made by fields.py; src/kube/decode/table.rs says how to read it\n")
    for (group, version, kind), name in sorted(roots.items()):
        out.write(f"kind {group or '-'} {version} {kind} {alike[name]}\n")
    written = set()
    for name in sorted(needed, key=lambda name: (alike[name], name)):
        if alike[name] not in written:
            written.add(alike[name])
            words = [f"{field}{':' + shown if (shown := kind.replace(below, alike[below]) if (below := struct_of(kind)) else kind) else ''}{marks}"
                     for field, kind, marks in lines_of(name)]
            out.write(" ".join(["type", alike[name], *words]) + "\n")
