//! From edges to an order: levels, or the loop that stands in the way.

use super::{Reason, Unit, edges};
use crate::diag::{Diagnostic, Reported, Sink, codes};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Units by level and name, their needs filled in; every loop is reported.
pub(super) fn sorted(units: Vec<Unit>, needs: edges::Needs, sink: &mut Sink) -> Result<Vec<Unit>, Reported> {
    let Some(levels) = levels(&units, &needs) else {
        let loops = loops(&units, &needs);
        for cycle in &loops {
            sink.report(describe(cycle, &units, &needs));
        }
        return Err(sink.finish(()).err().unwrap_or_else(|| {
            sink.report(Diagnostic::error(codes::INTERNAL, "units cannot be ordered, and no loop was found"))
        }));
    };
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by(|a, b| (levels[*a], &units[*a].name).cmp(&(levels[*b], &units[*b].name)));
    let mut new_index = vec![0; units.len()];
    for (new, old) in order.iter().enumerate() {
        new_index[*old] = new;
    }
    let mut units: Vec<Option<Unit>> = units.into_iter().map(Some).collect();
    let mut needs: Vec<Option<_>> = needs.into_iter().map(Some).collect();
    let mut sorted: Vec<Unit> = Vec::with_capacity(units.len());
    for old in order {
        let (Some(mut unit), Some(own)) = (units[old].take(), needs[old].take()) else { continue };
        unit.level = levels[old];
        let renumbered = own.into_iter().map(|(to, reasons)| (new_index[to], reasons)).collect();
        unit.needs = edges::listed(renumbered);
        sorted.push(unit);
    }
    reduce(&mut sorted);
    Ok(sorted)
}

/// How many units come before each, at most; units that Flux alone has take no level of their own. `None` where
/// units wait for each other.
fn levels(units: &[Unit], needs: &edges::Needs) -> Option<Vec<usize>> {
    let mut missing: Vec<usize> = needs.iter().map(BTreeMap::len).collect();
    let mut users: Vec<Vec<usize>> = vec![Vec::new(); units.len()];
    for (from, own) in needs.iter().enumerate() {
        for to in own.keys() {
            users[*to].push(from);
        }
    }
    let mut levels = vec![0; units.len()];
    let mut ready: VecDeque<usize> = (0..units.len()).filter(|unit| missing[*unit] == 0).collect();
    let mut done = 0;
    while let Some(unit) = ready.pop_front() {
        done += 1;
        for user in &users[unit] {
            levels[*user] = levels[*user].max(levels[unit] + usize::from(!units[unit].flux_only()));
            missing[*user] -= 1;
            if missing[*user] == 0 {
                ready.push_back(*user);
            }
        }
    }
    (done == units.len()).then_some(levels)
}

/// Keeps of each unit's needs those that no other of its needs implies. Needs point at smaller indices, except
/// among units of one level that Flux alone has, so reachability is computed over the graph as it is.
fn reduce(units: &mut [Unit]) {
    let mut reach: Vec<Option<BTreeSet<usize>>> = vec![None; units.len()];
    for unit in 0..units.len() {
        reachable(unit, units, &mut reach);
    }
    for unit in units.iter_mut() {
        let direct: Vec<usize> = unit.needs.iter().map(|need| need.unit).collect();
        unit.depends_on = direct
            .iter()
            .copied()
            .filter(|to| {
                !direct
                    .iter()
                    .any(|other| other != to && reach[*other].as_ref().is_some_and(|set| set.contains(to)))
            })
            .collect();
    }
}

fn reachable(unit: usize, units: &[Unit], reach: &mut [Option<BTreeSet<usize>>]) {
    let mut stack = vec![(unit, false)];
    while let Some((at, ready)) = stack.pop() {
        if reach[at].is_some() {
            continue;
        }
        if ready {
            let mut set = BTreeSet::new();
            for need in &units[at].needs {
                set.insert(need.unit);
                set.extend(reach[need.unit].iter().flatten().copied());
            }
            reach[at] = Some(set);
        } else {
            stack.push((at, true));
            stack.extend(
                units[at]
                    .needs
                    .iter()
                    .filter(|need| reach[need.unit].is_none())
                    .map(|need| (need.unit, false)),
            );
        }
    }
}

/// The shortest loop through each knot of units, each unit in one loop at most, smallest names first.
fn loops(units: &[Unit], needs: &edges::Needs) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by(|a, b| units[*a].name.cmp(&units[*b].name));
    let mut shown = BTreeSet::new();
    let mut loops = Vec::new();
    for start in order {
        if shown.contains(&start) {
            continue;
        }
        if let Some(cycle) = shortest(start, needs)
            && cycle.iter().all(|unit| !shown.contains(unit))
        {
            shown.extend(cycle.iter().copied());
            loops.push(cycle);
        }
    }
    loops
}

/// The shortest way from a unit back to itself.
fn shortest(start: usize, needs: &edges::Needs) -> Option<Vec<usize>> {
    let mut came_from: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        for to in needs[at].keys() {
            if *to == start {
                let mut path = vec![at];
                while let Some(previous) =
                    path.last().filter(|last| **last != start).and_then(|last| came_from.get(last))
                {
                    path.push(*previous);
                }
                path.reverse();
                return Some(path);
            }
            if !came_from.contains_key(to) {
                came_from.insert(*to, at);
                queue.push_back(*to);
            }
        }
    }
    None
}

fn describe(cycle: &[usize], units: &[Unit], needs: &edges::Needs) -> Diagnostic {
    let mut names: Vec<String> = cycle.iter().map(|unit| format!("`{}`", units[*unit].name)).collect();
    names.extend(names.first().cloned());
    let mut diagnostic =
        Diagnostic::error(codes::CYCLE, format!("units wait for each other: {}", names.join(" -> ")));
    let mut placed = false;
    for (position, from) in cycle.iter().enumerate() {
        let to = cycle[(position + 1) % cycle.len()];
        let Some(reason) = needs[*from].get(&to).and_then(|reasons| best(reasons)) else { continue };
        let text = format!("`{}` waits for `{}`: {}", units[*from].name, units[to].name, reason.text);
        if let (false, Some(at)) = (placed, reason.at) {
            diagnostic = diagnostic.at(at, text.clone());
            placed = true;
        } else {
            diagnostic = diagnostic.related(reason.at, text.clone());
        }
        diagnostic = diagnostic.note(text);
    }
    diagnostic
        .help("take one of these edges away: a requirement that needs the values only can say `order: false`")
}

/// The reason that says most: one with a place.
fn best(reasons: &[Reason]) -> Option<&Reason> {
    reasons.iter().find(|reason| reason.at.is_some()).or_else(|| reasons.first())
}
