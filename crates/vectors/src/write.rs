//! Writing a finished graph into our own layout ([`crate::format`]).

use std::{
    io::{self, Write},
    path::PathBuf,
    sync::atomic::Ordering,
};

use bytemuck::NoUninit;
use cutover_durable::{
    fs::{Writer, Written},
    sections::{Align, PARAMS, SectionWriter},
};

use crate::{
    build::Lists,
    builder::ordinal_bound,
    error::{Error, Result},
    format::{COUNTS, GRAPH_FORMAT, GRAPH_MAGIC, GraphParams, LINKS, ORDINALS, TALL, UPPER},
    parameters::Parameters,
};

/// A container being written, whose errors name its path.
pub(crate) struct Container {
    writer: SectionWriter,
    path: PathBuf,
}

/// Begins a container.
pub(crate) fn container(writer: Writer, magic: [u8; 8], format: u32, params: [u8; PARAMS]) -> Result<Container> {
    let path = writer.path().to_path_buf();
    Ok(Container { writer: SectionWriter::new(writer, magic, format, params)?, path })
}

impl Container {
    pub(crate) fn begin(&mut self, name: &str) -> Result<()> {
        Ok(self.writer.begin(name, Align::Line)?)
    }

    pub(crate) fn error(&self, source: io::Error) -> Error {
        cutover_durable::Error::io("write", &self.path, source).into()
    }

    pub(crate) fn finish(self) -> Result<Written> {
        Ok(self.writer.finish()?)
    }
}

impl Write for Container {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Numbers written between two looks at the cancel flag: 1 MiB of links.
const NUMBERS_BETWEEN_CHECKS: usize = 256 * 1024;

/// Writes numbers as they are in memory, which is little-endian.
pub(crate) fn write_numbers<T: NoUninit>(file: &mut Container, numbers: &[T], cancel: &dyn Fn() -> bool) -> Result<()> {
    for numbers in numbers.chunks(NUMBERS_BETWEEN_CHECKS) {
        if cancel() {
            return Err(Error::Cancelled);
        }
        file.write_all(bytemuck::cast_slice(numbers)).map_err(|error| file.error(error))?;
    }
    Ok(())
}

/// Writes the graph over the rows of `ordinals`.
pub(crate) fn write_graph(
    writer: Writer,
    parameters: &Parameters,
    lists: &Lists,
    ordinals: &[u32],
    cancel: &dyn Fn() -> bool,
) -> Result<Written> {
    let tall = lists.tall();
    let params = GraphParams {
        parameters: *parameters,
        nodes: ordinals.len() as u32,
        entry: lists.entry(),
        levels: u32::from(lists.top()),
        ordinal_bound: ordinal_bound(ordinals),
    };
    let mut file = container(writer, GRAPH_MAGIC, GRAPH_FORMAT, params.encode())?;
    file.begin(ORDINALS)?;
    write_numbers(&mut file, ordinals, cancel)?;
    file.begin(LINKS)?;
    write_level(&mut file, lists, 0, cancel)?;
    file.begin(COUNTS)?;
    write_numbers(&mut file, tall.counts(), cancel)?;
    file.begin(TALL)?;
    write_numbers(&mut file, tall.nodes(), cancel)?;
    file.begin(UPPER)?;
    for level in 1..=lists.top() {
        write_level(&mut file, lists, level, cancel)?;
    }
    file.finish()
}

/// Writes the lists of a level, one after another.
fn write_level(file: &mut Container, lists: &Lists, level: u8, cancel: &dyn Fn() -> bool) -> Result<()> {
    let layer = lists.layer(level);
    let places = (NUMBERS_BETWEEN_CHECKS / layer.width()).max(1);
    let mut slots = Vec::with_capacity(places * layer.width());
    for start in (0..layer.len()).step_by(places) {
        slots.clear();
        for place in start..(start + places).min(layer.len()) {
            slots.extend(layer.slots(place as u32).iter().map(|slot| slot.load(Ordering::Relaxed)));
        }
        write_numbers(file, &slots, cancel)?;
    }
    Ok(())
}
