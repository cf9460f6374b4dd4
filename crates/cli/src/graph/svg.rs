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
    let taken = points.iter().copied().zip(halves.iter().copied()).collect();
    let mut labels = Labels {
        out: &mut out,
        taken,
    };
    for edge in &graph.edges {
        labels.edge(edge, &points, &halves);
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

/// Labels that are drawn, so that later ones keep clear of them.
struct Labels<'a> {
    out: &'a mut String,
    /// Middle and half the size of what is drawn.
    taken: Vec<(Point, Point)>,
}

impl Labels<'_> {
    /// What stands at an edge's ends and middle.
    fn edge(&mut self, edge: &Edge, points: &[Point], halves: &[Point]) {
        for side in 0..2 {
            let (here, there) = (edge.ends[side], edge.ends[1 - side]);
            let size = size(&edge.labels[side]);
            let from = clear_of(points[here], points[there], halves[here], size);
            self.draw(points[here], points[there], from, &edge.labels[side]);
        }
        if let Some(middle) = &edge.middle {
            let [a, b] = edge.ends.map(|e| points[e]);
            self.draw(a, b, 0.5, std::slice::from_ref(middle));
        }
    }

    /// Draws lines on the way from a place to another: where `from` says, or further on until
    /// they hide nothing.
    fn draw(&mut self, a: Point, b: Point, from: f64, lines: &[String]) {
        let size = size(lines);
        let place = |way: f64| Point {
            x: (b.x - a.x).mul_add(way, a.x),
            y: (b.y - a.y).mul_add(way, a.y),
        };
        let ways = (0..24)
            .map(|step| f64::from(step).mul_add(0.02, from))
            .filter(|way| *way < 0.7);
        let at = ways
            .map(place)
            .find(|at| self.is_free(*at, size))
            .unwrap_or_else(|| place(from));
        self.taken.push((at, size));
        let top = at.y - LINE * lines.len().saturating_sub(1) as f64 / 2.0 + 3.0;
        for (number, line) in lines.iter().enumerate() {
            let y = top + LINE * number as f64;
            let text = escaped(line);
            let _ = writeln!(
                self.out,
                "<text class=\"end\" x=\"{:.1}\" y=\"{y:.1}\">{text}</text>",
                at.x
            );
        }
    }

    fn is_free(&self, at: Point, size: Point) -> bool {
        let hides = |(other, half): &(Point, Point)| {
            (at.x - other.x).abs() < size.x + half.x && (at.y - other.y).abs() < size.y + half.y
        };
        !self.taken.iter().any(hides)
    }
}

/// Half the width and height of lines of text.
fn size(lines: &[String]) -> Point {
    let longest = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0) as f64;
    Point {
        x: longest * NARROW / 2.0,
        y: lines.len() as f64 * LINE / 2.0,
    }
}

/// How far along the way from a box to another a label stands clear of the first box.
fn clear_of(from: Point, to: Point, half: Point, size: Point) -> f64 {
    // past the box on its side or above it, whichever comes first
    let share = |room: f64, way: f64| {
        if way == 0.0 {
            f64::MAX
        } else {
            room / way.abs()
        }
    };
    let beside = share(half.x + size.x + 5.0, to.x - from.x);
    let above = share(half.y + size.y + 4.0, to.y - from.y);
    beside.min(above).min(0.5)
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
