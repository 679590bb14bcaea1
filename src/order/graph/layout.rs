//! A layered layout: columns from left to right, rows chosen so that edges cross little.
//!
//! Edges over several columns get a bend in each column between, so that they run around the boxes. Rows are
//! improved by a fixed number of sweeps that move each box toward the middle of its neighbours; all numbers are
//! integers and ties fall by index, so that the result is the same everywhere.

/// What is laid out: boxes and bends.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// The unit; `None` for a bend.
    pub(super) unit: Option<usize>,
    /// The column.
    pub(super) column: usize,
    /// Its middle, in sixteenths of a row.
    pub(super) row: i64,
    before: Vec<usize>,
    after: Vec<usize>,
}

/// A laid-out graph.
#[derive(Debug)]
pub(super) struct Layout {
    /// Boxes first, by unit, then bends.
    pub(super) spots: Vec<Spot>,
    /// Each arrow as the spots that it passes, first and last included.
    pub(super) routes: Vec<Vec<usize>>,
    /// How many columns there are.
    pub(super) columns: usize,
    /// How many rows the tallest column spans, in sixteenths.
    pub(super) height: i64,
}

/// A row, in the unit of [`Spot::row`].
pub(super) const ROW: i64 = 16;
/// What a bend takes of a row.
const BEND: i64 = 5;

pub(super) fn lay_out(count: usize, arrows: &[(usize, usize)]) -> Layout {
    let columns_of = columns(count, arrows);
    let mut spots: Vec<Spot> = columns_of
        .iter()
        .enumerate()
        .map(|(unit, column)| Spot {
            unit: Some(unit),
            column: *column,
            row: 0,
            before: Vec::new(),
            after: Vec::new(),
        })
        .collect();
    let mut routes = Vec::new();
    for (from, to) in arrows {
        let mut route = vec![*from];
        for column in spots[*from].column + 1..spots[*to].column {
            spots.push(Spot { unit: None, column, row: 0, before: Vec::new(), after: Vec::new() });
            route.push(spots.len() - 1);
        }
        route.push(*to);
        for pair in route.windows(2) {
            spots[pair[0]].after.push(pair[1]);
            spots[pair[1]].before.push(pair[0]);
        }
        routes.push(route);
    }
    let width = columns_of.iter().max().map_or(0, |last| last + 1);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); width];
    for (index, spot) in spots.iter().enumerate() {
        columns[spot.column].push(index);
    }
    untangle(&mut columns, &spots);
    let height = place(&columns, &mut spots);
    Layout { spots, routes, columns: width, height }
}

/// The column of each box: one after the last of those before it.
fn columns(count: usize, arrows: &[(usize, usize)]) -> Vec<usize> {
    let mut columns = vec![0; count];
    for _ in 0..count {
        let mut moved = false;
        for (from, to) in arrows {
            if columns[*to] <= columns[*from] {
                columns[*to] = columns[*from] + 1;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    columns
}

/// Reorders columns by the middle of their neighbours, forth and back.
fn untangle(columns: &mut [Vec<usize>], spots: &[Spot]) {
    let mut best = columns.to_vec();
    let mut least = crossings(&best, spots);
    for sweep in 0..24 {
        let forth = sweep % 2 == 0;
        let mut position = vec![0i64; spots.len()];
        for column in columns.iter() {
            for (row, spot) in column.iter().enumerate() {
                position[*spot] = i64::try_from(row).unwrap_or(0) * 1000;
            }
        }
        let order: Vec<usize> = if forth {
            (1..columns.len()).collect()
        } else {
            (0..columns.len().saturating_sub(1)).rev().collect()
        };
        for at in order {
            let middle = |spot: usize| {
                let neighbours = if forth { &spots[spot].before } else { &spots[spot].after };
                let mut rows: Vec<i64> = neighbours.iter().map(|other| position[*other]).collect();
                rows.sort_unstable();
                match rows.len() {
                    0 => position[spot],
                    count if count % 2 == 1 => rows[count / 2],
                    count => i64::midpoint(rows[count / 2 - 1], rows[count / 2]),
                }
            };
            let mut keyed: Vec<(i64, usize)> =
                columns[at].iter().map(|spot| (middle(*spot), *spot)).collect();
            keyed.sort_by_key(|(key, _)| *key);
            columns[at] = keyed.into_iter().map(|(_, spot)| spot).collect();
            for (row, spot) in columns[at].iter().enumerate() {
                position[*spot] = i64::try_from(row).unwrap_or(0) * 1000;
            }
        }
        let now = crossings(columns, spots);
        if now < least {
            least = now;
            best = columns.to_vec();
        }
    }
    columns.clone_from_slice(&best);
}

fn crossings(columns: &[Vec<usize>], spots: &[Spot]) -> usize {
    let mut position = vec![0usize; spots.len()];
    for column in columns {
        for (row, spot) in column.iter().enumerate() {
            position[*spot] = row;
        }
    }
    let mut crossed = 0;
    for column in columns {
        let mut edges: Vec<(usize, usize)> = column
            .iter()
            .flat_map(|spot| spots[*spot].after.iter().map(|to| (position[*spot], position[*to])))
            .collect();
        edges.sort_unstable();
        for (index, (_, first)) in edges.iter().enumerate() {
            crossed += edges[index + 1..].iter().filter(|(_, second)| second < first).count();
        }
    }
    crossed
}

/// Gives every spot a row: near its neighbours, in the order of its column, never overlapping.
fn place(columns: &[Vec<usize>], spots: &mut [Spot]) -> i64 {
    let size = |spot: &Spot| if spot.unit.is_some() { ROW } else { BEND };
    for column in columns {
        let mut at = 0;
        for index in column {
            let own = size(&spots[*index]);
            spots[*index].row = at + own / 2;
            at += own;
        }
    }
    for sweep in 0..12 {
        let forth = sweep % 2 == 0;
        let order: Vec<usize> =
            if forth { (0..columns.len()).collect() } else { (0..columns.len()).rev().collect() };
        for at in order {
            let column = &columns[at];
            let wanted: Vec<i64> = column
                .iter()
                .map(|index| {
                    let spot = &spots[*index];
                    let near = if forth { &spot.before } else { &spot.after };
                    let near =
                        if near.is_empty() { if forth { &spot.after } else { &spot.before } } else { near };
                    let count = i64::try_from(near.len()).unwrap_or(1);
                    if count == 0 {
                        spot.row
                    } else {
                        near.iter().map(|other| spots[*other].row).sum::<i64>() / count
                    }
                })
                .collect();
            // Down from the top, then up from the bottom, and the middle of both: order kept, nothing overlaps.
            let gap = |a: usize, b: usize| i64::midpoint(size(&spots[column[a]]), size(&spots[column[b]]));
            let mut down = wanted.clone();
            for row in 1..down.len() {
                down[row] = down[row].max(down[row - 1] + gap(row - 1, row));
            }
            let mut up = wanted;
            for row in (0..up.len().saturating_sub(1)).rev() {
                up[row] = up[row].min(up[row + 1] - gap(row, row + 1));
            }
            for (row, index) in column.iter().enumerate() {
                spots[*index].row = i64::midpoint(down[row], up[row]);
            }
        }
    }
    let top = spots.iter().map(|spot| spot.row - size(spot) / 2).min().unwrap_or(0);
    for spot in spots.iter_mut() {
        spot.row -= top;
    }
    spots.iter().map(|spot| spot.row + size(spot) / 2).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_of_a_column_never_overlap_and_arrows_run_right() {
        let arrows = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 5), (0, 5), (4, 6)];
        let layout = lay_out(7, &arrows);
        assert_eq!(layout.columns, 4);
        for a in 0..7 {
            for b in a + 1..7 {
                let (first, second) = (&layout.spots[a], &layout.spots[b]);
                assert!(first.column != second.column || (first.row - second.row).abs() >= ROW, "{a} {b}");
            }
        }
        for route in &layout.routes {
            assert!(
                route.windows(2).all(|pair| layout.spots[pair[0]].column + 1 == layout.spots[pair[1]].column)
            );
        }
    }

    #[test]
    fn a_tree_has_no_crossings() {
        let arrows = [(0, 3), (1, 2), (2, 5), (3, 4)];
        let layout = lay_out(6, &arrows);
        let mut columns: Vec<Vec<usize>> = vec![Vec::new(); layout.columns];
        let mut order: Vec<usize> = (0..layout.spots.len()).collect();
        order.sort_by_key(|spot| layout.spots[*spot].row);
        for spot in order {
            columns[layout.spots[spot].column].push(spot);
        }
        assert_eq!(crossings(&columns, &layout.spots), 0);
    }
}
