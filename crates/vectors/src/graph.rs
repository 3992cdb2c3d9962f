//! The mapped `.graph` file: codes of vectors and links between them, on several levels.
//!
//! Opening checks everything that is small: the header, the sections' sizes, the levels' counts. Links are read only through
//! [`Links`], whose walkers check each one before they follow it.

use cutover_durable::{Error, Map, Result, sections::Section};

use crate::{
    cells::Cells,
    codes::{Codes, Coding, Terms},
    format::{
        self, Block, CELLS, CENTROIDS, COUNTS, GRAPH_MAGIC, GraphParams, MEMBERS, NODES, NONE, ORDINALS, TALL, UPPER,
    },
    kernels::prefetch,
    ordinals::{Ordinals, numbers},
};

/// An opened file whose sections have the sizes that its header and counts promise.
pub(crate) struct Graph {
    params: GraphParams,
    map: Map,
    ordinals: Section,
    nodes: Section,
    tall: Section,
    upper: Section,
    /// For level 1, 2, …: how many nodes of `tall` are on it, and how many lists come before its first in `upper`.
    levels: Vec<(usize, usize)>,
    cells: Option<CellSections>,
}

/// Where the cells of a graph are.
struct CellSections {
    cells: Section,
    centroids: Section,
    members: Section,
}

impl Graph {
    pub(crate) fn open(map: Map) -> Result<Self> {
        map.keep_in_large_pages();
        let sections = format::open(map, GRAPH_MAGIC)?;
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
        let has_cells = params.caution > 0.0;
        let cells = || {
            let [cells, centroids, members] = [CELLS, CENTROIDS, MEMBERS].map(|name| sections.section(name));
            Ok::<_, Error>(CellSections { cells: cells?, centroids: centroids?, members: members? })
        };
        let graph = Self {
            cells: has_cells.then(cells).transpose()?,
            params,
            ordinals: sections.section(ORDINALS)?,
            nodes: sections.section(NODES)?,
            tall: sections.section(TALL)?,
            upper: sections.section(UPPER)?,
            map,
            levels,
        };
        let links = graph.links()?;
        graph.cells()?;
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

    /// The cells, where there are some.
    pub(crate) fn cells(&self) -> Result<Option<Cells<'_>>> {
        let (Some(sections), Some((coding, _))) = (&self.cells, &self.params.coding) else { return Ok(None) };
        let cells = sections.cells.cast()?;
        if cells.is_empty() {
            return Err(sections.cells.malformed("is empty"));
        }
        let centroids = numbers(&sections.centroids, (cells.len() * coding.padded()) as u64)?;
        let members = numbers(&sections.members, u64::from(self.params.nodes))?;
        Ok(Some(Cells::new(self.map.path(), coding, self.params.metric, cells, centroids, members)))
    }

    pub(crate) fn links(&self) -> Result<Links<'_>> {
        let (nodes, m) = (u64::from(self.params.nodes), self.params.m as u64);
        let tall = self.levels.first().map_or(0, |&(count, _)| count as u64);
        let lists = self.levels.last().map_or(0, |&(count, before)| (before + count) as u64);
        let block = self.params.block();
        Ok(Links {
            ordinals: Ordinals::of(&self.ordinals, self.params.nodes, self.params.ordinal_bound)?,
            words: numbers(&self.nodes, nodes * block.stride as u64)?,
            block,
            slots: 2 * self.params.m,
            tall: numbers(&self.tall, tall)?,
            upper: numbers(&self.upper, lists * m)?,
            graph: self,
        })
    }
}

/// The links and codes of an opened file. Nodes and positions that are passed in are the caller's to have checked; those that
/// come out are not checked yet.
#[derive(Clone, Copy)]
pub(crate) struct Links<'a> {
    graph: &'a Graph,
    pub(crate) ordinals: Ordinals<'a>,
    words: &'a [u32],
    block: Block,
    slots: usize,
    tall: &'a [u32],
    upper: &'a [u32],
}

impl<'a> Links<'a> {
    pub(crate) fn entry(&self) -> u32 {
        self.graph.params.entry
    }

    /// The most links of a node on level 0.
    pub(crate) fn slots_per_node(&self) -> usize {
        self.slots
    }

    /// Levels above level 0.
    pub(crate) fn levels(&self) -> usize {
        self.graph.levels.len()
    }

    /// Nodes on a level, from 1.
    pub(crate) fn on_level(&self, level: usize) -> usize {
        self.graph.levels[level - 1].0
    }

    /// What the nodes' codes mean, if they have any, and how many quarters of a search's candidates are measured in full.
    pub(crate) fn coding(&self) -> Option<(Coding, u16)> {
        self.graph.params.coding
    }

    /// How many candidates a search for the nearest 10 needed when the graph was made; 0 where that is not known.
    pub(crate) fn effort(&self) -> usize {
        self.graph.params.effort as usize
    }

    /// The nodes' codes, where there are some.
    pub(crate) fn codes(&self, coding: &Coding) -> Codes<'a> {
        Codes::new(coding, bytemuck::cast_slice(self.words), self.block.stride * 4)
    }

    /// A node's own terms: of an l2 or inner product graph with codes.
    #[inline]
    pub(crate) fn terms(&self, node: u32) -> Terms {
        let words = &self.words[node as usize * self.block.stride..];
        let word = |at| f32::from_bits(words[at]);
        let norm = if self.block.links - self.block.terms == 2 { word(self.block.terms + 1) } else { 0.0 };
        Terms { factor: word(self.block.terms), norm }
    }

    /// Asks for what a node's distance is estimated from.
    #[inline]
    pub(crate) fn prefetch_code(&self, node: u32) {
        prefetch(&self.words[node as usize * self.block.stride..][..self.block.links]);
    }

    /// Asks for a node's links.
    #[inline]
    pub(crate) fn prefetch_slots(&self, node: u32) {
        prefetch(self.slots(node));
    }

    /// The slots of a node's list on level 0; those that are not used hold [`NONE`].
    #[inline]
    pub(crate) fn slots(&self, node: u32) -> &'a [u32] {
        &self.words[node as usize * self.block.stride + self.block.links..][..self.slots]
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

    /// The nodes that the node at `position` of `tall` links to on `level`, from 1.
    pub(crate) fn upper(&self, level: usize, position: u32) -> impl Iterator<Item = Result<u32>> {
        let (count, before) = self.graph.levels[level - 1];
        let start = (before + position as usize) * (self.slots / 2);
        self.upper[start..start + self.slots / 2].iter().take_while(|&&link| link != NONE).map(move |&link| {
            let node = self.tall[..count].get(link as usize).copied().ok_or_else(|| self.stray(link))?;
            if (node as usize) < self.ordinals.len() { Ok(node) } else { Err(self.stray(node)) }
        })
    }

    /// The position in `tall` that is in a slot which [`Links::upper`] returned.
    pub(crate) fn upper_position(&self, level: usize, position: u32, slot: usize) -> u32 {
        let before = self.graph.levels[level - 1].1;
        self.upper[(before + position as usize) * (self.slots / 2) + slot]
    }

    #[cold]
    fn stray(&self, link: u32) -> Error {
        Error::malformed(self.graph.map.path(), format!("it links to {link}, which is no node there"))
    }
}
