//! Inserting a node: searching for its neighbours, then linking it with them in both directions (Malkov & Yashunin 2018,
//! algorithm 1; hnswlib's `addPoint` and `mutuallyConnectNewElement`).

use super::{
    Points,
    heuristic::Choice,
    lists::{Layer, Lists},
    pool::Near,
    search::{Scratch, descend, search},
};
use crate::{
    error::{Error, Result},
    parameters::Parameters,
};

/// A graph under construction over all of its points. Threads insert different nodes at a time.
pub(crate) struct Building<'a, P> {
    points: &'a P,
    levels: &'a [u8],
    lists: Lists,
    m: usize,
    ef_construction: usize,
}

/// The memory of a thread that inserts.
pub(crate) struct Inserter<P: Points> {
    scratch: Scratch,
    from: P::From,
    /// What was found on each level, level 0 first.
    found: Vec<Vec<Near>>,
    own: Choice<P>,
    other: Relink<P>,
}

/// What choosing a full list anew remembers.
struct Relink<P: Points> {
    from: P::From,
    links: Vec<u32>,
    nodes: Vec<u32>,
    distances: Vec<f32>,
    candidates: Vec<Near>,
    choice: Choice<P>,
}

impl<P: Points> Default for Inserter<P> {
    fn default() -> Self {
        let other = Relink {
            from: P::From::default(),
            links: Vec::new(),
            nodes: Vec::new(),
            distances: Vec::new(),
            candidates: Vec::new(),
            choice: Choice::default(),
        };
        Self { scratch: Scratch::default(), from: P::From::default(), found: Vec::new(), own: Choice::default(), other }
    }
}

impl<'a, P: Points> Building<'a, P> {
    /// A graph without links whose node i is point i and goes up to `levels[i]`.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub(crate) fn new(parameters: &Parameters, points: &'a P, levels: &'a [u8]) -> Result<Self> {
        let &Parameters { m, ef_construction, dimensions, .. } = parameters;
        let lists = Lists::new(m, levels).ok_or(Error::OutOfMemory { vectors: levels.len(), dimensions })?;
        Ok(Self { points, levels, lists, m, ef_construction })
    }

    /// What it is built over.
    pub(crate) fn points(&self) -> &'a P {
        self.points
    }

    /// The links so far.
    pub(crate) fn lists(&self) -> &Lists {
        &self.lists
    }

    /// How many nodes it will have.
    pub(crate) fn len(&self) -> u32 {
        self.levels.len() as u32
    }

    /// The node that must be inserted before all others.
    pub(crate) fn first(&self) -> u32 {
        self.lists.entry()
    }

    /// Links a node, which is inserted once, into the graph; false when `stop`, asked now and then while it searches, said so before
    /// anything was linked.
    pub(crate) fn insert(&self, node: u32, stop: &dyn Fn() -> bool, memory: &mut Inserter<P>) -> bool {
        let (points, lists) = (self.points, &self.lists);
        if node == self.first() {
            return true;
        }
        points.prepare(node, &mut memory.from);
        let level = self.levels[node as usize];
        let top = lists.top();
        let mut near = self.entrance(memory);
        for above in (level + 1..=top).rev() {
            near = descend(points, lists.layer(above), &memory.from, near, &mut memory.scratch);
        }
        memory.found.resize_with(usize::from(level) + 1, Vec::new);
        for at in (0..=level).rev() {
            let layer = lists.layer(at);
            if at == 0 && top > 0 {
                near = Near::new(near.distance(), lists.layer(1).node(near.place()));
            }
            let found =
                search(points, layer, &memory.from, near, None, self.ef_construction, stop, &mut memory.scratch);
            let Some(found) = found else { return false };
            near = found[0];
            memory.found[usize::from(at)].clear();
            memory.found[usize::from(at)].extend(found.iter().map(|near| near.unmarked()));
        }
        for at in 0..=level {
            self.connect(lists.layer(at), lists.place(node, at), usize::from(at), memory);
        }
        true
    }

    /// The entry point's place, measured from the point that was prepared.
    fn entrance(&self, memory: &mut Inserter<P>) -> Near {
        let entry = self.lists.entry();
        let mut distance = [0.0];
        self.points.measure(&memory.from, &[entry], &mut distance);
        Near::new(distance[0], self.lists.place(entry, self.lists.top()))
    }

    /// Links a place with the best of what was found on its level, and those with it.
    fn connect(&self, layer: Layer<'_>, place: u32, level: usize, memory: &mut Inserter<P>) {
        let found = &mut memory.found[level];
        let own = self.own_distance(layer.node(place), &memory.from);
        let (neighbours, chosen) = if found.len() < self.m {
            (&found[..], false)
        } else {
            (memory.own.choose(self.points, layer, found, self.m, own), true)
        };
        layer.lock(place).fill(neighbours.iter().map(|near| near.place()), chosen);
        for near in neighbours {
            self.link(layer, near.place(), Near::new(near.distance(), place), &mut memory.other);
        }
    }

    /// Adds a link to the list of `place`, which is chosen anew when it is full.
    fn link(&self, layer: Layer<'_>, place: u32, to: Near, memory: &mut Relink<P>) {
        let mut list = layer.lock(place);
        if list.append(to.place()) {
            return;
        }
        let Relink { from, links, nodes, distances, candidates, choice } = memory;
        links.clear();
        links.extend(layer.links(place));
        nodes.clear();
        nodes.extend(links.iter().map(|&link| layer.node(link)));
        for &node in &*nodes {
            self.points.prefetch(node);
        }
        self.points.prepare(layer.node(place), from);
        distances.resize(links.len(), 0.0);
        self.points.measure(from, nodes, distances);
        candidates.clear();
        candidates.push(to);
        let known = list.chosen();
        candidates.extend(links.iter().zip(&*distances).enumerate().map(|(i, (&link, &distance))| {
            let near = Near::new(distance, link);
            if i < known { near.marked() } else { near }
        }));
        candidates.sort_unstable();
        let own = self.own_distance(layer.node(place), from);
        let chosen = choice.choose(self.points, layer, candidates, layer.width(), own);
        list.fill(chosen.iter().map(|near| near.place()), true);
    }

    /// A node's distance from itself, for which it is prepared: that of its equals.
    fn own_distance(&self, node: u32, from: &P::From) -> f32 {
        let mut distance = [0.0];
        self.points.measure(from, &[node], &mut distance);
        distance[0]
    }

    /// Ends insertion.
    pub(crate) fn finish(self) -> Built<'a, P> {
        Built(self)
    }
}

/// A graph whose nodes are all inserted.
pub(crate) struct Built<'a, P>(Building<'a, P>);

impl<P: Points> Built<'_, P> {
    /// Its links.
    pub(crate) fn lists(&self) -> &Lists {
        &self.0.lists
    }

    /// The links without the points.
    pub(crate) fn into_lists(self) -> Lists {
        self.0.lists
    }

    /// How many nodes it has.
    pub(crate) fn len(&self) -> u32 {
        self.0.len()
    }

    /// Whether a node is above level 0, too.
    pub(crate) fn is_tall(&self, node: u32) -> bool {
        self.0.lists.tall().is(node)
    }

    /// Makes a node ready to be measured from.
    pub(crate) fn prepare(&self, node: u32, memory: &mut Inserter<P>) {
        self.0.points.prepare(node, &mut memory.from);
    }

    /// Writes the distances of `nodes` from what was made ready.
    pub(crate) fn measure(&self, nodes: &[u32], distances: &mut [f32], memory: &Inserter<P>) {
        self.0.points.measure(&memory.from, nodes, distances);
    }

    /// The node closest to `node` among those that a search from the entry point finds, `node` itself left out if it can be.
    pub(crate) fn closest(&self, node: u32, memory: &mut Inserter<P>) -> u32 {
        let found = self.found(node, None, self.0.ef_construction, memory);
        found.iter().map(|near| near.place()).find(|&place| place != node).unwrap_or(node)
    }

    /// What a search for `ef` nodes near `node`, which is on level 0 alone, finds without entering it, nearest first.
    pub(crate) fn without<'m>(&self, node: u32, ef: usize, memory: &'m mut Inserter<P>) -> &'m [Near] {
        self.found(node, Some(node), ef, memory)
    }

    fn found<'m>(&self, node: u32, barred: Option<u32>, ef: usize, memory: &'m mut Inserter<P>) -> &'m [Near] {
        let (points, lists) = (self.0.points, &self.0.lists);
        self.prepare(node, memory);
        let mut near = self.0.entrance(memory);
        for above in (1..=lists.top()).rev() {
            near = descend(points, lists.layer(above), &memory.from, near, &mut memory.scratch);
        }
        let start = if lists.top() > 0 { lists.layer(1).node(near.place()) } else { near.place() };
        let start = Near::new(near.distance(), start);
        let ground = lists.layer(0);
        search(points, ground, &memory.from, start, barred, ef, &|| false, &mut memory.scratch).unwrap_or_default()
    }
}
