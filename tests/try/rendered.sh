#!/usr/bin/env bash
# What a user of this repository does to see real objects, in a fresh clone: vendor once, build without network, and
# trust nothing that has changed. By hand, because it needs the recorded packages and takes a minute:
#
#   cargo build --release && STACKC=target/release/stackc tests/try/rendered.sh [FOLDER OF PACKAGES]
#
# The folder is `../shared/charts`, beside the clone or above it, unless it is named. `kubectl` and `unshare` are used where they are.
set -euo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
stackc=$(realpath "${STACKC:-$here/target/debug/stackc}")
packages=${1:-}
for above in "$here/.." "$here/../.."; do
  [ -n "$packages" ] || [ ! -d "$above/shared/charts" ] || packages=$above/shared/charts
done
[ -d "$packages" ] || { echo "name the folder of recorded packages"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STACKC_CACHE=$work/cache

step() { printf '%s: ' "$1"; }
fail() { printf 'FAILED\n%s\n' "$1" >&2; exit 1; }
# Runs what has to succeed, quietly; how long it took.
took() {
  local from=$(date +%s%N)
  "$@" > "$work/out" 2> "$work/err" || fail "$(cat "$work/err")"
  echo "$((($(date +%s%N) - from) / 1000000)) ms"
}
files() { (cd "$1" && find . -type f -printf '%p %T@ %i\n' | sort); }

git clone --quiet "$here" "$work/clone"
cd "$work/clone"
[ -z "$(git status --porcelain)" ] || fail "the clone is not clean"
cp -r "$packages" "$work/packages"
chmod -R u+w "$work/packages"
export STACKC_MIRROR=$work/packages

step "vendor"; took "$stackc" vendor
grep -c '^  - ' stackc.lock | sed 's/$/ packages in the lock/'
step "build rendered"; took "$stackc" build --charts rendered
out=$(sed -n 's/.*dir: *\([^,} ]*\).*/\1/p' stackc.yaml); out=${out:-.}
echo "$(ls "$out/envs" | wc -l) environments, $(find "$out/envs" -name '*.yaml' | wc -l) files"

step "kubectl kustomize"
if command -v kubectl > /dev/null; then
  units=0
  for unit in "$out"/envs/*/*/; do
    kubectl kustomize "$unit" > /dev/null 2> "$work/err" || fail "$unit: $(cat "$work/err")"
    units=$((units + 1))
  done
  echo "$units units"
else
  echo "SKIPPED, there is no kubectl"
fi

before=$(files "$out")
step "a second build"; took "$stackc" build --charts rendered
[ "$before" = "$(files "$out")" ] || fail "it wrote files: $(diff <(echo "$before") <(files "$out") | head -n 5)"
echo "it wrote nothing"
step "build --check"; took "$stackc" build --charts rendered --check
step "build --frozen"; took "$stackc" build --charts rendered --frozen

step "without any network"
if unshare -rn true 2> /dev/null; then
  took unshare -rn "$stackc" build --charts rendered --frozen --check
else
  echo "SKIPPED, unshare is not allowed here"
fi

step "a changed package and --frozen"
package=$(ls "$STACKC_MIRROR"/cert-manager-v1.17.2.tgz)
old=$(sha256sum "$package" | cut -d' ' -f1)
printf 'x' >> "$package"
new=$(sha256sum "$package" | cut -d' ' -f1)
if "$stackc" build --charts rendered --frozen > /dev/null 2> "$work/err"; then fail "it passed"; fi
grep -q "$old" "$work/err" && grep -q "$new" "$work/err" || fail "it does not show both digests: $(cat "$work/err")"
[ "$before" = "$(files "$out")" ] || fail "it wrote files"
echo "refused, with both digests"

step "without a cache"
rm -rf "$STACKC_CACHE"
cp "$packages/$(basename "$package")" "$package"
took "$stackc" build --charts rendered --frozen --check
git -C "$work/clone" diff --quiet || fail "the clone's own files have changed"
echo "all is well"
