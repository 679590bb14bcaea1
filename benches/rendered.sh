#!/usr/bin/env bash
# Whole builds of a project with its charts rendered, against `helm template` of the same releases with the same values.
#
#   benches/rendered.sh [-n RUNS] MIRROR [PROJECT]      MIRROR holds NAME-VERSION.tgz; PROJECT is this repository
#
# Cold: an empty memory of charts and builds, and no tree. Warm: a
# file is changed so that every environment is compiled again, with all releases remembered. No change: the same build again. The best of the runs counts; HELM and STACKC name
# the programs. Works in a copy, with a cache of its own.
set -euo pipefail
export LC_ALL=C TIMEFORMAT='%R %U %S'

helm=${HELM:-helm}
stackc=$(realpath "${STACKC:-target/release/stackc}")
runs=5
while getopts n: flag; do
  case $flag in
    n) runs=$OPTARG ;;
    *) sed -n '2,8p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
mirror=$(realpath "$1")
project=$(realpath "${2:-$(dirname "$0")/..}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/project"
cp -r "$project"/{stackc.yaml,overlays,stacks,schemas} "$scratch/project/"
cd "$scratch/project"
export STACKC_CACHE=$scratch/cache STACKC_MIRROR=$mirror

# timed NAME COMMAND...: adds `wall processor` in milliseconds to $scratch/NAME.
timed() {
  local name=$1
  shift
  { time "$@" >"$scratch/out" 2>"$scratch/err"; } 2>"$scratch/time" || { cat "$scratch/err" >&2; exit 1; }
  awk '{ printf "%.1f %.1f\n", $1 * 1000, ($2 + $3) * 1000 }' "$scratch/time" >>"$scratch/$name"
}
best() { sort -n -k "$2,$2" "$scratch/$1" | head -n 1 | cut -d ' ' -f "$2"; }
peak() { [ -x /usr/bin/time ] && /usr/bin/time -f %M "$@" 2>&1 >/dev/null | tail -n 1 | awk '{ printf "%.0f", $1 / 1024 }'; }
row() { printf '%-34s %10s %12s\n' "$1" "$(best "$2" 1)" "$(best "$2" 2)"; }
build=("$stackc" build --charts rendered)

"$stackc" vendor >/dev/null 2>&1
for _ in $(seq "$runs"); do
  rm -rf "$STACKC_CACHE"/{rendered,builds} dist
  timed cold "${build[@]}"
  timed same "${build[@]}"
  # Another text, the same data: every release is remembered, every environment compiled.
  echo "# $RANDOM" >>stackc.yaml
  timed warm "${build[@]}"
done
memory_same=$(peak "${build[@]}")
memory_cold=$(peak "${build[@]}" --fresh)

rm -rf dist
"$stackc" build --charts release >/dev/null 2>&1
of() { sed -n "s/^  $1: //p" "$2"; }
releases=0
all() {
  local chart
  while read -r chart; do
    local package="$mirror/$(of chartName "$chart")-$(of chartVersion "$chart").tgz" values
    [ -f "$package" ] || { echo "left out: $package" >&2; continue; }
    values="$(dirname "$chart")/helm-values.yaml"
    [ -f "$values" ] || values=/dev/null
    "$helm" template "$(of releaseName "$chart")" "$package" -n "$(of namespace "$chart")" -f "$values" --include-crds || return 1
  done < <(find dist/envs -name helm-chart.yaml | sort)
}
if command -v "$helm" >/dev/null; then
  releases=$(find dist/envs -name helm-chart.yaml | wc -l)
  for _ in $(seq "$runs"); do timed helm all; done
fi

printf '%-34s %10s %12s\n' '' 'wall ms' 'processor ms'
row 'cold build' cold
row 'everything remembered' warm
row 'no change' same
[ "$releases" = 0 ] || row "helm template, $releases releases" helm
echo "peak memory: $memory_cold MiB rendering, $memory_same MiB without a change"
