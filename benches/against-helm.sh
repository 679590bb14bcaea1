#!/usr/bin/env bash
# Whole processes: `stackc template` against `helm template`, run in turn so that both meet the same machine.
#
#   benches/against-helm.sh [-n RUNS] CHART...       a table: best wall time, best processor time, peak memory
#   benches/against-helm.sh -c [-n RUNS] FOLDER      every FOLDER/*/chart.tgz or FOLDER/*.tgz: the sums
#
# HELM and STACKC name the programs. The best of the runs counts; on a busy machine look at processor time (user and
# system). A chart that either program refuses with its own values is left out, and said so.
set -euo pipefail
export LC_ALL=C TIMEFORMAT='%R %U %S'

helm=${HELM:-helm}
stackc=${STACKC:-target/release/stackc}
runs=10
corpus=
while getopts n:c flag; do
  case $flag in
    n) runs=$OPTARG ;;
    c) corpus=yes ;;
    *) sed -n '2,8p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || { sed -n '2,8p' "$0" >&2; exit 2; }
command -v "$helm" >/dev/null || { echo "no helm on PATH: set HELM" >&2; exit 1; }
command -v "$stackc" >/dev/null || { echo "no $stackc: cargo build --release, or set STACKC" >&2; exit 1; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# once NAME PROGRAM CHART: adds a line `wall processor` in milliseconds to $scratch/NAME.
once() {
  { time "$2" template rel "$3" -n ns --include-crds >"$scratch/$1.out" 2>"$scratch/$1.err"; } 2>"$scratch/time" || return 1
  awk '{ printf "%.0f %.0f\n", $1 * 1000, ($2 + $3) * 1000 }' "$scratch/time" >>"$scratch/$1"
}

# best NAME COLUMN
best() { sort -n -k "$2,$2" "$scratch/$1" | head -n 1 | cut -d ' ' -f "$2"; }

# peak PROGRAM CHART: in MiB.
peak() {
  [ -x /usr/bin/time ] || { echo -; return; }
  /usr/bin/time -f %M -o "$scratch/peak" "$1" template rel "$2" -n ns --include-crds >/dev/null 2>&1
  awk '{ printf "%.0f", $1 / 1024 }' "$scratch/peak"
}

# both CHART: runs the two in turn; false where one refuses the chart.
both() {
  rm -f "$scratch/helm" "$scratch/stackc"
  for _ in $(seq "$runs"); do
    once helm "$helm" "$1" || return 1
    once stackc "$stackc" "$1" || return 1
  done
}

ratio() { awk -v a="$1" -v b="$2" 'BEGIN { if (b > 0) printf "%.1fx", a / b; else printf "-" }'; }

if [ -n "$corpus" ]; then
  wall=(0 0) processor=(0 0) count=0 left=0 different=0
  for chart in "$1"/*/chart.tgz "$1"/*.tgz; do
    [ -f "$chart" ] || continue
    if ! both "$chart"; then left=$((left + 1)); continue; fi
    cmp -s "$scratch/helm.out" "$scratch/stackc.out" || different=$((different + 1))
    count=$((count + 1))
    wall=($((wall[0] + $(best helm 1))) $((wall[1] + $(best stackc 1))))
    processor=($((processor[0] + $(best helm 2))) $((processor[1] + $(best stackc 2))))
  done
  echo "$count charts, $left left out (refused), $different with other output (random values differ at every run)"
  echo "wall       helm ${wall[0]} ms, stackc ${wall[1]} ms: $(ratio "${wall[0]}" "${wall[1]}")"
  echo "processor  helm ${processor[0]} ms, stackc ${processor[1]} ms: $(ratio "${processor[0]}" "${processor[1]}")"
  exit
fi

printf '%-28s %22s %22s %18s\n' chart 'wall ms' 'processor ms' 'peak MiB'
for chart in "$@"; do
  name=$(basename "$chart" .tgz)
  [ "$name" != chart ] || name=$(basename "$(dirname "$chart")")
  if ! both "$chart"; then echo "$name: refused"; continue; fi
  memory=("$(peak "$helm" "$chart")" "$(peak "$stackc" "$chart")")
  printf '%-28.28s' "$name"
  for column in 1 2; do
    a=$(best helm $column) b=$(best stackc $column)
    printf ' %7s %5s %8s' "$a" "$b" "$(ratio "$a" "$b")"
  done
  printf ' %6s %4s %6s\n' "${memory[@]}" "$(ratio "${memory[0]}" "${memory[1]}")"
done
