//! SVG by a layout of our own: needs no other program.

use std::fmt::Write;

use lab::Lab;

use super::layout::{self, Point};
use super::{Edge, Graph, Vertex};

/// Width of a character of the node font, and of the label font.
const WIDE: f64 = 8.4;
const NARROW: f64 = 6.2;
const LINE: f64 = 12.0;
const MARGIN: f64 = 70.0;

const STYLE: &str = "\
text{font-family:sans-serif;fill:#1d2733}\
.node rect{fill:#e8f0fb;stroke:#33557a;stroke-width:1.5}\
.node text{font-size:14px;font-weight:600;text-anchor:middle}\
.segment ellipse{fill:#f3f3f3;stroke:#8a8f98}\
.segment text{font-size:11px;text-anchor:middle}\
.wire{stroke:#6b7785;stroke-width:1.4}\
.end{font-size:10px;text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:3px}";

/// A lab as an SVG picture.
pub(crate) fn svg(lab: &Lab) -> String {
    let graph = Graph::of(lab);
    let halves: Vec<Point> = graph.vertices.iter().map(half).collect();
    let mut points = layout::places(&graph, &halves);
    let (width, height) = to_origin(&mut points, &halves);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\">\n<title>{}</title>\n<style>{STYLE}</style>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
        escaped(&graph.name)
    );
    for edge in &graph.edges {
        line(&mut out, edge, &points);
    }
    for (vertex, (at, half)) in graph.vertices.iter().zip(points.iter().zip(&halves)) {
        draw(&mut out, vertex, *at, *half);
    }
    for (number, edge) in graph.edges.iter().enumerate() {
        ends(&mut out, &graph, number, edge, &points, &halves);
    }
    out.push_str("</svg>\n");
    out
}

/// Half the width and height of a vertex's box.
pub(super) fn half(vertex: &Vertex) -> Point {
    let letters = vertex.name.chars().count() as f64;
    match vertex.segment {
        true => Point {
            x: letters.mul_add(NARROW / 2.0, 10.0),
            y: 12.0,
        },
        false => Point {
            x: letters.mul_add(WIDE / 2.0, 12.0),
            y: 17.0,
        },
    }
}

/// Moves all so that the picture begins at 0, and says how large it is.
fn to_origin(points: &mut [Point], halves: &[Point]) -> (f64, f64) {
    let edges = |side: f64| {
        points
            .iter()
            .zip(halves)
            .map(move |(p, h)| (h.x.mul_add(side, p.x), h.y.mul_add(side, p.y)))
    };
    let least = edges(-1.0).fold((f64::MAX, f64::MAX), |m, p| (m.0.min(p.0), m.1.min(p.1)));
    let most = edges(1.0).fold((f64::MIN, f64::MIN), |m, p| (m.0.max(p.0), m.1.max(p.1)));
    if points.is_empty() {
        return (2.0 * MARGIN, 2.0 * MARGIN);
    }
    for point in points.iter_mut() {
        point.x += MARGIN - least.0;
        point.y += MARGIN - least.1;
    }
    (
        most.0 - least.0 + 2.0 * MARGIN,
        most.1 - least.1 + 2.0 * MARGIN,
    )
}

fn line(out: &mut String, edge: &Edge, points: &[Point]) {
    let [a, b] = edge.ends.map(|e| points[e]);
    let _ = writeln!(
        out,
        "<line class=\"wire\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
        a.x, a.y, b.x, b.y
    );
}

fn draw(out: &mut String, vertex: &Vertex, at: Point, half: Point) {
    let name = escaped(&vertex.name);
    let _ = match vertex.segment {
        true => writeln!(
            out,
            "<g class=\"segment\"><ellipse cx=\"{:.1}\" cy=\"{:.1}\" rx=\"{:.1}\" ry=\"{:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{name}</text></g>",
            at.x,
            at.y,
            half.x,
            half.y,
            at.x,
            at.y + 4.0
        ),
        false => writeln!(
            out,
            "<g class=\"node\"><rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{name}</text></g>",
            at.x - half.x,
            at.y - half.y,
            2.0 * half.x,
            2.0 * half.y,
            at.x,
            at.y + 5.0
        ),
    };
}

/// What stands at an edge's ends and middle. Of several edges between the same vertices each
/// has its labels a bit further out.
fn ends(
    out: &mut String,
    graph: &Graph,
    number: usize,
    edge: &Edge,
    points: &[Point],
    halves: &[Point],
) {
    let same =
        |e: &&Edge| e.ends == edge.ends || (e.ends[0] == edge.ends[1] && e.ends[1] == edge.ends[0]);
    let earlier = graph.edges[..number].iter().filter(same).count() as f64;
    for side in 0..2 {
        let (here, there) = (edge.ends[side], edge.ends[1 - side]);
        let lines = edge.labels[side].as_slice();
        let at = label_place(points[here], points[there], halves[here], lines, earlier);
        text(out, at, lines);
    }
    if let Some(middle) = &edge.middle {
        let [a, b] = edge.ends.map(|e| points[e]);
        let at = Point {
            x: f64::midpoint(a.x, b.x),
            y: f64::midpoint(a.y, b.y) + earlier * LINE,
        };
        text(out, at, std::slice::from_ref(middle));
    }
}

/// A place on the way from a box to another where a label stands clear of the first box.
fn label_place(from: Point, to: Point, half: Point, lines: &[String], earlier: f64) -> Point {
    let (dx, dy) = (to.x - from.x, to.y - from.y);
    let longest = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0) as f64;
    let wide = longest.mul_add(NARROW / 2.0, half.x) + 5.0;
    let high = (lines.len() as f64).mul_add(LINE / 2.0, half.y) + 4.0;
    // past the box on its side or above it, whichever comes first
    let beside = if dx == 0.0 { f64::MAX } else { wide / dx.abs() };
    let above = if dy == 0.0 { f64::MAX } else { high / dy.abs() };
    let more = 26.0 * earlier / dx.hypot(dy).max(1.0);
    let way = (beside.min(above) + more).min(0.5);
    Point {
        x: dx.mul_add(way, from.x),
        y: dy.mul_add(way, from.y),
    }
}

fn text(out: &mut String, at: Point, lines: &[String]) {
    let top = at.y - LINE * (lines.len().saturating_sub(1)) as f64 / 2.0 + 3.0;
    for (number, line) in lines.iter().enumerate() {
        let y = top + LINE * number as f64;
        let _ = writeln!(
            out,
            "<text class=\"end\" x=\"{:.1}\" y=\"{y:.1}\">{}</text>",
            at.x,
            escaped(line)
        );
    }
}

/// A text as XML takes it; characters that XML cannot hold become the replacement character.
pub(super) fn escaped(text: &str) -> String {
    let one = |c: char| match c {
        '&' => "&amp;".to_string(),
        '<' => "&lt;".to_string(),
        '>' => "&gt;".to_string(),
        '"' => "&quot;".to_string(),
        c if c.is_control() && !"\t\n\r".contains(c) => "\u{fffd}".to_string(),
        c => c.to_string(),
    };
    text.chars().map(one).collect()
}
