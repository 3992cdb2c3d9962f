//! What threads share: links, locks, the flag that stops them.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{
    super::{Caller, insert::Built, repair, repair::reachable},
    Counted, Ground, LINE, Random,
};
use crate::{Error, parameters::Parameters};

/// Every list on every level leads to other nodes of that level, to each once.
fn assert_sound(graph: &Built<Counted>, what: &str) {
    let lists = graph.lists();
    for level in 0..=lists.top() {
        let layer = lists.layer(level);
        for place in 0..layer.len() as u32 {
            let mut links: Vec<u32> = layer.links(place).collect();
            assert!(links.iter().all(|&link| link != place && (link as usize) < layer.len()), "{what}: {links:?}");
            let count = links.len();
            links.sort_unstable();
            links.dedup();
            assert_eq!(links.len(), count, "{what}: level {level} links {place} twice to one");
        }
    }
}

/// Full lists are chosen anew all the time, and many threads want the same ones. `scripts/thread-sanitizer.mjs` watches it.
#[test]
fn many_threads_on_few_lists_leave_a_sound_graph() {
    for round in 0..4 {
        let rows = Random(round).rows(1500, 3);
        let parameters = Parameters { dimensions: 3, seed: round, ..LINE };
        let ground = Ground::new(parameters, &rows);
        let graph = ground.build(8);
        assert_sound(&graph, "after the build");
        repair(&graph, &|| false).unwrap();
        assert_sound(&graph, "after repair");
        assert_eq!(reachable(&graph), 1500);
    }
}

#[test]
fn one_thread_builds_the_same_graph_every_time() {
    let ground = Ground::new(LINE, &Random(8).rows(2000, 2));
    let links = |graph: Built<Counted>| -> Vec<Vec<u32>> {
        let ground = graph.lists().layer(0);
        (0..2000).map(|node| ground.links(node).collect()).collect()
    };
    assert_eq!(links(ground.build(1)), links(ground.build(1)));
}

#[test]
fn a_build_stops_within_a_node_of_being_cancelled() {
    let ground = Ground::new(LINE, &Random(3).rows(2000, 2));
    let (asked, reported) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let cancel = || asked.fetch_add(1, Ordering::Relaxed) >= 700;
    let progress = |done: usize, _| {
        reported.fetch_max(done, Ordering::Relaxed);
    };
    let caller = Caller { threads: 2, cancel: &cancel, progress: &progress, on_thread: &|| () };
    assert!(matches!(ground.build_for(caller), Err(Error::Cancelled)));
    assert_eq!(reported.load(Ordering::Relaxed), 512);
    assert!(asked.load(Ordering::Relaxed) <= 702);
}

#[test]
fn a_build_stops_within_a_search_of_being_cancelled() {
    // One search expands all of these, and nobody is asked between nodes but once.
    let ground = Ground::new(Parameters { m: 16, ef_construction: 2000, ..LINE }, &Random(3).rows(1500, 2));
    let asked = AtomicUsize::new(0);
    let cancel = || asked.fetch_add(1, Ordering::Relaxed) >= 1200;
    let caller = Caller { threads: 1, cancel: &cancel, progress: &|_, _| (), on_thread: &|| () };
    assert!(matches!(ground.build_for(caller), Err(Error::Cancelled)));
    let asked = asked.load(Ordering::Relaxed);
    assert_eq!(asked, 1201);
}

#[test]
fn a_thread_that_panics_is_an_error() {
    let ground = Ground::new(LINE, &[vec![1.0, 2.0]]);
    #[expect(clippy::panic, reason = "what is tested")]
    let on_thread = || panic!("in the caller's function");
    let caller = Caller { threads: 1, cancel: &|| false, progress: &|_, _| (), on_thread: &on_thread };
    assert!(matches!(ground.build_for(caller), Err(Error::Build { .. })));
}
