#!/usr/bin/env bash
# Puts `stackc template` where a script would say `helm template`, over every chart of a folder: with values files, --set, --show-only, CRDs,
# an output folder, other API and Kubernetes versions, and into `kubectl kustomize`. With HELM set, the real program is run with the same
# words, and exit code, standard output and written files have to be equal to the byte; nothing is normalised. Charts whose output Helm
# itself does not make twice the same are named and left out. Run by hand:
#
#   cargo build --release && HELM=helm tests/try/template.sh FOLDER
#   HELM=helm3 tests/try/template.sh --helm 3.21 FOLDER
#
# STACKC names another stackc than target/release/stackc. Without HELM only stackc's own faults count: an exit code that is neither 0 nor 1,
# an error without a word, an object that kustomize cannot read.
set -euo pipefail

stackc=${STACKC:-$(dirname "$0")/../../target/release/stackc}
helm=${HELM:-}
profile=()
if [ "${1:-}" = --helm ]; then profile=(--helm "$2"); shift 2; fi
folder=${1:?the folder of charts is missing}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Neither program may see this user's configuration or cluster.
export HOME=$work/home KUBECONFIG=$work/no-kubeconfig
mkdir "$HOME"

runs=0 compared=0 refused=0 differences=0
random=()

say() { differences=$((differences + 1)); printf 'DIFFERENT %s: %s\n' "$1" "$2"; }

# Runs one program with these words; output, errors, written files and exit code go under "$work/$1".
run() {
  local side=$1 code=0; shift
  rm -rf "${work:?}/$side"; mkdir "$work/$side"
  (cd "$work/$side" && "$@" > out 2> err) || code=$?
  echo "$code" > "$work/$side/code"
}

# kustomize's reading of what was printed.
kustomized() {
  printf 'resources: [out.yaml]\n' > "$work/$1/kustomization.yaml"
  cp "$work/$1/out" "$work/$1/out.yaml"
  kubectl kustomize "$work/$1" > "$work/$1/kustomized" 2> "$work/$1/kustomized.err"
}

# One command line on both programs. The words are given to both as they stand; {VALUES} is a values file.
try() {
  local chart=$1 code; shift
  local label; label="$(basename "$chart") $*"; label=${label//$work\//}
  runs=$((runs + 1))
  run ours "$stackc" template tried "$chart" "$@" ${profile[@]+"${profile[@]}"}
  code=$(cat "$work/ours/code")
  [ "$code" = 0 ] || refused=$((refused + 1))
  case $code in
    0) ;;
    1) [ -s "$work/ours/err" ] || say "$label" "refused without a word" ;;
    *) say "$label" "exit code $code" ;;
  esac
  [ -n "$helm" ] || return 0
  run theirs "$helm" template tried "$chart" "$@"
  if ! diff -r -q -x err "$work/ours" "$work/theirs" > "$work/diff"; then
    # Once more: where Helm differs from Helm, bytes prove nothing.
    mv "$work/theirs" "$work/before"
    run theirs "$helm" template tried "$chart" "$@"
    if ! diff -r -q -x err "$work/before" "$work/theirs" > "$work/unsteady"; then
      random+=("$(basename "$chart")")
    else
      say "$label" "$(tr '\n' ' ' < "$work/diff")"
      diff <(cat "$work/theirs/out") <(cat "$work/ours/out") | head -n 6 | sed 's/^/    /' || true
      head -n 2 "$work/theirs/err" "$work/ours/err" | sed 's/^/    /'
    fi
    rm -rf "$work/before"
    return 0
  fi
  compared=$((compared + 1))
}

for chart in "$folder"/*; do
  if [ -d "$chart" ]; then
    [ -e "$chart/Chart.yaml" ] || continue
    values() { cat "$chart/values.yaml"; }
  else
    case $chart in *.tgz) ;; *) continue ;; esac
    values() { tar -xzOf "$chart" --wildcards '*/values.yaml' --no-wildcards-match-slash; }
  fi
  chart=$(realpath "$chart")
  # The chart's own values with another order of what lies on what, and a file that adds to them.
  values > "$work/own.yaml" 2> "$work/own.err" || : > "$work/own.yaml"
  printf 'commonLabels: {tried: "yes"}\nextra: [1, 2.5, 0x1F, on]\nglobal: {tried: 012}\n' > "$work/more.yaml"

  try "$chart"
  source=$(sed -n 's/^# Source: [^/]*\///p' "$work/ours/out" | head -n 1)
  last=$(sed -n 's/^# Source: [^/]*\///p' "$work/ours/out" | tail -n 1)
  objects=$([ "$(cat "$work/ours/code")" = 0 ] && [ -n "$source" ] && echo yes || echo no)
  if [ "$objects" = yes ] && ! kustomized ours; then
    # A chart may print the same object twice, which kustomize refuses of Helm too.
    if [ -z "$helm" ] || { kustomized theirs; }; then say "$(basename "$chart")" "kustomize: $(tail -n 1 "$work/ours/kustomized.err")"; fi
  fi
  try "$chart" --namespace elsewhere --include-crds
  try "$chart" -f "$work/own.yaml"
  try "$chart" -f "$work/more.yaml" -f "$work/own.yaml" --set tried=true,list='{a,b}'
  try "$chart" --set fullnameOverride=other --set-string tag=1.0 --set 'annotations.a\.b/c=d' --set replicas=3,replicaCount=2
  try "$chart" --set-json 'extra={"a":[1,{"b":null}]}' --set-literal 'text=a,b={c}' --set-file "file=$work/more.yaml"
  try "$chart" --kube-version 1.29.3 --api-versions monitoring.coreos.com/v1 -a cert-manager.io/v1/Certificate
  try "$chart" --is-upgrade --no-hooks --skip-tests --kube-version v1.31.0-gke.100
  try "$chart" --include-crds --output-dir tree
  try "$chart" --release-name --output-dir tree
  try "$chart" --show-only templates/none.yaml
  if [ "$objects" = yes ]; then
    try "$chart" --show-only "$source"
    try "$chart" -s "$last" -s "$source" --set fullnameOverride=other
    try "$chart" --show-only "$(dirname "$source")/*.yaml"
  fi
done

if [ "${#random[@]}" -gt 0 ]; then
  printf 'left out, as Helm prints them differently each time: %s\n' "$(printf '%s\n' "${random[@]}" | sort -u | tr '\n' ' ')"
fi
if [ -n "$helm" ]; then
  printf '%d command lines, %d equal, %d of all refused by stackc, %d different\n' "$runs" "$compared" "$refused" "$differences"
else
  printf '%d command lines, %d refused, %d faults; set HELM to compare with the real program\n' "$runs" "$refused" "$differences"
fi
[ "$runs" -gt 0 ] || { echo "no chart in $folder"; exit 1; }
[ "$differences" -eq 0 ]
