//! The mapped `.graph` file: links between rows, on several levels.
//!
//! Opening checks everything that is small: the header, the sections' sizes, the levels' counts. Links are read only through
//! [`Links`], whose walkers check each one before they follow it.

use cutover_durable::{
    Error, Map, Result,
    sections::{Section, Sections},
};

use crate::{
    format::{COUNTS, GRAPH_FORMAT, GRAPH_MAGIC, GraphParams, LINKS, NONE, ORDINALS, TALL, UPPER},
    full::numbers,
};

/// An opened file whose sections have the sizes that its header and counts promise.
pub(crate) struct Graph {
    params: GraphParams,
    map: Map,
    ordinals: Section,
    links: Section,
    tall: Section,
    upper: Section,
    /// For level 1, 2, …: how many nodes of `tall` are on it, and how many lists come before its first in `upper`.
    levels: Vec<(usize, usize)>,
}

impl Graph {
    pub(crate) fn open(map: Map) -> Result<Self> {
        let sections = Sections::open(map, GRAPH_MAGIC, GRAPH_FORMAT)?;
        let map = sections.map().clone();
        let params = GraphParams::decode(sections.params()).map_err(|detail| Error::malformed(map.path(), detail))?;
        let counts = sections.section(COUNTS)?;
        let mut levels = Vec::new();
        let (mut below, mut lists) = (params.nodes as usize, 0_usize);
        for &count in numbers::<u32>(&counts, u64::from(params.levels))? {
            let count = count as usize;
            if count == 0 || count > below {
                return Err(counts.malformed(&format!("puts {count} nodes above {below}")));
            }
            levels.push((count, lists));
            // At most 32 levels of at most 2³¹ nodes.
            lists += count;
            below = count;
        }
        let graph = Self {
            params,
            ordinals: sections.section(ORDINALS)?,
            links: sections.section(LINKS)?,
            tall: sections.section(TALL)?,
            upper: sections.section(UPPER)?,
            map,
            levels,
        };
        let links = graph.links()?;
        if links.tall.first().is_some_and(|&first| first != graph.params.entry) {
            return Err(graph.tall.malformed("does not begin with the entry point"));
        }
        Ok(graph)
    }

    pub(crate) fn params(&self) -> &GraphParams {
        &self.params
    }

    pub(crate) fn map(&self) -> &Map {
        &self.map
    }

    pub(crate) fn links(&self) -> Result<Links<'_>> {
        let (nodes, m) = (u64::from(self.params.nodes), self.params.parameters.m as u64);
        let tall = self.levels.first().map_or(0, |&(count, _)| count as u64);
        let lists = self.levels.last().map_or(0, |&(count, before)| (before + count) as u64);
        Ok(Links {
            ordinals: numbers(&self.ordinals, nodes)?,
            level0: numbers(&self.links, nodes * 2 * m)?,
            tall: numbers(&self.tall, tall)?,
            upper: numbers(&self.upper, lists * m)?,
            m: m as usize,
            graph: self,
        })
    }
}

/// The links of an opened file. Nodes and positions that are passed in are the caller's to have checked; those that come
/// out are not checked yet.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    graph: &'a Graph,
    ordinals: &'a [u32],
    level0: &'a [u32],
    tall: &'a [u32],
    upper: &'a [u32],
    m: usize,
}

impl<'a> Links<'a> {
    pub(crate) fn entry(&self) -> u32 {
        self.graph.params.entry
    }

    /// Levels above level 0.
    pub(crate) fn levels(&self) -> usize {
        self.graph.levels.len()
    }

    /// Nodes on a level, from 1.
    pub(crate) fn on_level(&self, level: usize) -> usize {
        self.graph.levels[level - 1].0
    }

    #[inline]
    pub(crate) fn ordinal(&self, node: u32) -> u32 {
        self.ordinals[node as usize]
    }

    /// The slots of a node's list on level 0; those that are not used hold [`NONE`].
    #[inline]
    pub(crate) fn slots(&self, node: u32) -> &'a [u32] {
        let start = node as usize * 2 * self.m;
        &self.level0[start..start + 2 * self.m]
    }

    /// Checks a link that was read on level 0: a node, or the end of the list.
    #[inline]
    pub(crate) fn node(&self, link: u32) -> Result<Option<u32>> {
        if (link as usize) < self.ordinals.len() {
            Ok(Some(link))
        } else if link == NONE {
            Ok(None)
        } else {
            Err(self.stray(link))
        }
    }

    /// The positions in `tall`, with their nodes, that the node at `position` links to on `level`, from 1.
    pub(crate) fn upper(&self, level: usize, position: u32) -> impl Iterator<Item = Result<(u32, u32)>> {
        let (count, before) = self.graph.levels[level - 1];
        let start = (before + position as usize) * self.m;
        self.upper[start..start + self.m].iter().take_while(|&&link| link != NONE).map(move |&link| {
            let node = self.tall[..count].get(link as usize).copied().ok_or_else(|| self.stray(link))?;
            if (node as usize) < self.ordinals.len() { Ok((link, node)) } else { Err(self.stray(node)) }
        })
    }

    #[cold]
    fn stray(&self, link: u32) -> Error {
        Error::malformed(self.graph.map.path(), format!("it links to {link}, which is no node there"))
    }
}
