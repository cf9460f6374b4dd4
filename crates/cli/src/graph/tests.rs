use lab::{Interface, Lab, Node};

use super::layout::{any_overlap, places};
use super::{Graph, dot, mermaid, svg};

/// A ring of routers, each with a LAN of three hosts on every fourth.
pub(crate) fn ring(routers: usize) -> Lab {
    let mut lab = Lab {
        name: "ring".into(),
        ..Lab::default()
    };
    let plug = |lab: &mut Lab, node: &str, segment: &str, address: &str| {
        let node = lab.nodes.entry(node.into()).or_default();
        let interface = Interface {
            segment: Some(segment.into()),
            addresses: vec![address.parse().unwrap()],
            ..Interface::default()
        };
        node.interfaces
            .insert(format!("eth{}", node.interfaces.len()), interface);
    };
    for i in 0..routers {
        let next = (i + 1) % routers;
        plug(
            &mut lab,
            &format!("r{i}"),
            &format!("R{i}"),
            &format!("10.0.{i}.1/30"),
        );
        plug(
            &mut lab,
            &format!("r{next}"),
            &format!("R{i}"),
            &format!("10.0.{i}.2/30"),
        );
        if i % 4 == 0 {
            plug(
                &mut lab,
                &format!("r{i}"),
                &format!("lan{i}"),
                "192.168.0.1/24",
            );
            for h in 2..5 {
                plug(
                    &mut lab,
                    &format!("h{i}-{h}"),
                    &format!("lan{i}"),
                    &format!("192.168.0.{h}/24"),
                );
            }
        }
    }
    lab
}

#[test]
fn two_members_are_an_edge_and_more_a_vertex() {
    let graph = Graph::of(&ring(4));
    assert_eq!(graph.vertices.len(), 4 + 3 + 1);
    assert_eq!(graph.edges.len(), 4 + 4);
    assert_eq!(graph.edges[0].labels[0], ["eth0", "10.0.0.1/30"]);
}

#[test]
fn no_boxes_overlap_and_pictures_are_the_same_each_time() {
    for routers in [1, 2, 5, 12, 40] {
        let lab = ring(routers);
        let graph = Graph::of(&lab);
        let halves: Vec<_> = graph.vertices.iter().map(super::svg::half).collect();
        assert!(!any_overlap(&places(&graph, &halves), &halves), "{routers}");
        assert_eq!(svg(&lab), svg(&lab));
    }
}

#[test]
fn names_cannot_break_out() {
    let mut lab = ring(3);
    lab.name = "</title><script>\"\\\u{1}".into();
    let picture = svg(&lab);
    assert!(
        picture.contains("&lt;/title&gt;&lt;script&gt;&quot;"),
        "{picture}"
    );
    assert!(!picture.contains("<script"), "{picture}");
    assert!(dot(&lab).contains(r#"\"\\"#));
    let segment = lab.nodes["r0"].interfaces["eth0"].clone();
    lab.nodes.insert("x\"]".into(), Node::default());
    lab.nodes["x\"]"].interfaces.insert("eth0".into(), segment);
    assert!(mermaid(&lab).contains("x#quot;]"));
}

#[test]
fn an_empty_lab_has_a_picture() {
    assert!(svg(&Lab::default()).ends_with("</svg>\n"));
}
