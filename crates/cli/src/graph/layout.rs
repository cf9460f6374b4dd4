//! Where vertices stand: springs along edges, repulsion between all, then boxes pushed apart
//! until none overlaps. The same graph gives the same picture.
//!
//! The springs are those of Fruchterman and Reingold, "Graph drawing by force-directed
//! placement" (1991).

use super::Graph;

/// A place, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// Length that an edge would like, with room for the labels at its ends.
const LENGTH: f64 = 130.0;

/// Least free space around a box.
const GAP: f64 = 60.0;

/// Graphs larger than this get fewer rounds, so that the picture of a thousand nodes takes
/// seconds.
const LARGE: usize = 300;

/// Places for all vertices, given half the width and height of each box.
pub(super) fn places(graph: &Graph, halves: &[Point]) -> Vec<Point> {
    let count = graph.vertices.len();
    let mut points = circle(graph, count);
    let rounds = if count > LARGE { 60 } else { 400 };
    for round in 0..rounds {
        let heat = LENGTH * (1.0 - f64::from(round) / f64::from(rounds));
        relax(graph, &mut points, heat);
    }
    push_apart(&mut points, halves);
    if count <= LARGE {
        for _ in 0..40 {
            if !off_edges(graph, &mut points, halves) {
                break;
            }
            push_apart(&mut points, halves);
        }
    }
    points
}

/// Moves boxes off edges of others that run through them; whether there were any.
fn off_edges(graph: &Graph, points: &mut [Point], halves: &[Point]) -> bool {
    let mut moved = false;
    for edge in &graph.edges {
        let [a, b] = edge.ends;
        for vertex in (0..points.len()).filter(|v| *v != a && *v != b) {
            let Some(away) = off_line(points[a], points[b], points[vertex], halves[vertex]) else {
                continue;
            };
            points[vertex].x += away.x;
            points[vertex].y += away.y;
            moved = true;
        }
    }
    moved
}

/// How far a box must move to stand clear of a line; none if it does.
fn off_line(a: Point, b: Point, at: Point, half: Point) -> Option<Point> {
    let (dx, dy, length) = between(b, a);
    let along = ((at.x - a.x) * dx + (at.y - a.y) * dy) / (length * length);
    if !(0.0..=1.0).contains(&along) {
        return None;
    }
    let (nx, ny) = (-dy / length, dx / length);
    let side = (at.x - a.x) * nx + (at.y - a.y) * ny;
    // what of the box reaches towards the line
    let reach = half.x * nx.abs() + half.y * ny.abs() + 12.0;
    let missing = reach - side.abs();
    (missing > 0.0).then(|| {
        let way = (missing + 1.0).copysign(if side == 0.0 { 1.0 } else { side });
        Point {
            x: nx * way,
            y: ny * way,
        }
    })
}

/// A start that does not depend on chance: on a circle, each next to what it is joined to.
fn circle(graph: &Graph, count: usize) -> Vec<Point> {
    let radius = LENGTH * (count as f64) / std::f64::consts::TAU;
    let mut out = vec![Point::default(); count];
    for (position, vertex) in order(graph, count).into_iter().enumerate() {
        let angle = std::f64::consts::TAU * position as f64 / count as f64;
        out[vertex] = Point {
            x: radius * angle.cos(),
            // not quite round: symmetry would hold parts in balance for ever
            y: radius * angle.sin() * (0.8 + 0.01 * (position % 7) as f64),
        };
    }
    out
}

/// Vertices depth first along edges.
fn order(graph: &Graph, count: usize) -> Vec<usize> {
    let mut next = vec![Vec::new(); count];
    for edge in &graph.edges {
        let [a, b] = edge.ends;
        next[a].push(b);
        next[b].push(a);
    }
    let mut seen = vec![false; count];
    let mut out = Vec::with_capacity(count);
    for start in 0..count {
        let mut stack = vec![start];
        while let Some(vertex) = stack.pop() {
            if !std::mem::replace(&mut seen[vertex], true) {
                out.push(vertex);
                stack.extend(next[vertex].iter().rev());
            }
        }
    }
    out
}

/// One round of pushing and pulling, nobody further than `heat`.
fn relax(graph: &Graph, points: &mut [Point], heat: f64) {
    let mut forces = vec![Point::default(); points.len()];
    for a in 0..points.len() {
        for b in a + 1..points.len() {
            let (dx, dy, distance) = between(points[a], points[b]);
            let strength = LENGTH * LENGTH / distance / distance;
            add(&mut forces, a, b, dx * strength, dy * strength);
        }
    }
    for edge in &graph.edges {
        let [a, b] = edge.ends;
        let (dx, dy, distance) = between(points[a], points[b]);
        let strength = -distance / LENGTH;
        add(&mut forces, a, b, dx * strength, dy * strength);
    }
    for (point, force) in points.iter_mut().zip(&forces) {
        // a weak pull to the middle keeps separate parts together
        let (fx, fy) = (force.x - point.x * 0.03, force.y - point.y * 0.03);
        let length = fx.hypot(fy).max(0.01);
        let step = length.min(heat) / length;
        point.x += fx * step;
        point.y += fy * step;
    }
}

/// Difference and distance of two places, never zero.
fn between(a: Point, b: Point) -> (f64, f64, f64) {
    let (dx, dy) = (a.x - b.x, a.y - b.y);
    let distance = dx.hypot(dy);
    if distance < 1.0 {
        (1.0, 0.5, 1.2)
    } else {
        (dx, dy, distance)
    }
}

fn add(forces: &mut [Point], a: usize, b: usize, x: f64, y: f64) {
    forces[a].x += x;
    forces[a].y += y;
    forces[b].x -= x;
    forces[b].y -= y;
}

/// Moves boxes that overlap apart, along the way that is shorter, until none does.
fn push_apart(points: &mut [Point], halves: &[Point]) {
    for _ in 0..200 {
        let mut moved = false;
        for a in 0..points.len() {
            for b in a + 1..points.len() {
                moved |= part(points, halves, a, b);
            }
        }
        if !moved {
            return;
        }
    }
    spread(points, halves);
}

fn part(points: &mut [Point], halves: &[Point], a: usize, b: usize) -> bool {
    let (dx, dy) = (points[b].x - points[a].x, points[b].y - points[a].y);
    let x = halves[a].x + halves[b].x + GAP - dx.abs();
    let y = halves[a].y + halves[b].y + GAP - dy.abs();
    if x <= 0.0 || y <= 0.0 {
        return false;
    }
    // a little more than needed, so that rounding does not bring them back
    if x < y {
        let half = (x / 2.0 + 0.5).copysign(if dx == 0.0 { 1.0 } else { dx });
        points[a].x -= half;
        points[b].x += half;
    } else {
        let half = (y / 2.0 + 0.5).copysign(if dy == 0.0 { 1.0 } else { dy });
        points[a].y -= half;
        points[b].y += half;
    }
    true
}

/// What ends: scales the picture until no two boxes overlap.
fn spread(points: &mut [Point], halves: &[Point]) {
    for _ in 0..60 {
        if !any_overlap(points, halves) {
            return;
        }
        for (number, point) in points.iter_mut().enumerate() {
            point.x = point.x * 1.1 + (number % 5) as f64;
            point.y = point.y * 1.1 + (number % 3) as f64;
        }
    }
}

/// Whether any two boxes overlap.
pub(super) fn any_overlap(points: &[Point], halves: &[Point]) -> bool {
    let overlap = |a: usize, b: usize| {
        let (dx, dy) = (points[b].x - points[a].x, points[b].y - points[a].y);
        dx.abs() < halves[a].x + halves[b].x && dy.abs() < halves[a].y + halves[b].y
    };
    (0..points.len()).any(|a| (a + 1..points.len()).any(|b| overlap(a, b)))
}
