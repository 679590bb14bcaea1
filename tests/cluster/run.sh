#!/usr/bin/env bash
# Applies built trees to the API server of the current context, unit by unit in the order of the tree, with strict field
# validation, and counts what it refuses. For a cluster that may be thrown away: `kind create cluster`, or a lone
# kube-apiserver with etcd, where admission webhooks of operators that do not run have to be taken away or answered.
# What stays releases is a HelmRelease here, so its cluster needs Flux's definitions (`flux install`).
#
#   cargo run -- build && tests/cluster/run.sh [--dry-run] [ENV ...]
set -euo pipefail
cd "$(dirname "$0")/../../dist"

flags=(--server-side --force-conflicts --field-manager=stackc-cluster-test --validate=strict)
if [ "${1:-}" = --dry-run ]; then flags+=(--dry-run=server); shift; fi
[ $# -gt 0 ] || set -- $(ls envs)

first='^(CustomResourceDefinition|Namespace)$'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
accepted=0 refused=0

# One document a file: a refused object must not hide the others.
split() {
  awk -v folder="$work" '/^---$/ { number++; next } { print > sprintf("%s/%05d.yaml", folder, number) }'
}

apply() {
  local file kind said
  for file in "$work"/*.yaml; do
    kind=$(sed -n 's/^kind: //p' "$file" | head -n 1)
    if [[ $kind =~ $first ]]; then [ "$1" = first ] || continue; else [ "$1" = rest ] || continue; fi
    if said=$(kubectl apply "${flags[@]}" -f "$file" 2>&1); then
      accepted=$((accepted + 1))
      if [ "$kind" = CustomResourceDefinition ] && [[ ${flags[*]} != *dry-run* ]]; then
        kubectl wait --for=condition=Established --timeout=30s -f "$file" > /dev/null
      fi
    else
      refused=$((refused + 1))
      printf 'REFUSED in %s/%s: %s\n' "$environment" "$unit" "$said" >&2
    fi
  done
}

for environment in "$@"; do
  # kluctl's levels are Flux's, and the sources of charts come before all of them.
  units=$(sed -n 's/^- path: //p' "envs/$environment/deployment.yaml" | tr -d '"')
  [ ! -d "flux/$environment/sources" ] || units="sources $units"
  for unit in $units; do
    folder=envs/$environment/$unit
    [ ! -d "flux/$environment/$unit" ] || folder=flux/$environment/$unit
    rm -f "$work"/*.yaml
    kubectl kustomize "$folder" | split
    apply first
    apply rest
  done
done
echo "$accepted objects accepted, $refused refused"
[ "$refused" -eq 0 ]
