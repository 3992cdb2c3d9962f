//! Lies in files whose structure is known: a container with its table made anew around them, or a file of hnswlib's.
//!
//! Most lies are in what sections hold, and pass whatever looks at the structure alone; some are in the structure.

use crate::choose::Choose;

const HEADER: usize = 64;
/// Where the header has the parameters of its kind of file.
const PARAMS: usize = 16;
const FOOTER: usize = 32;
const ENTRY: usize = 40;
const NAME: usize = 24;

/// A container taken apart, as `cutover_durable::sections` describes it.
#[derive(Clone, Debug)]
pub struct Container {
    header: [u8; HEADER],
    sections: Vec<([u8; NAME], Vec<u8>)>,
}

impl Container {
    /// Takes a sound file apart.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        let table = number(bytes.len() - FOOTER);
        let entries = (table..bytes.len() - FOOTER).step_by(ENTRY);
        let sections = entries.map(|at| {
            let (offset, length) = (number(at + NAME), number(at + NAME + 8));
            (bytes[at..at + NAME].try_into().unwrap(), bytes[offset..offset + length].to_vec())
        });
        Self { header: bytes[..HEADER].try_into().unwrap(), sections: sections.collect() }
    }

    /// The file with one to three lies.
    #[must_use]
    pub fn lie(&self, choose: &mut impl Choose) -> Vec<u8> {
        let mut lying = self.clone();
        let mut raw: Vec<Lie> = Vec::new();
        for _ in 0..=choose.below(3) {
            match choose.below(24) {
                0 => lying.lie_in_header(choose),
                1 => lying.resize(choose),
                2 => raw.push(Lie::Table),
                3 if choose.below(2) == 0 => raw.push(Lie::End),
                4 if choose.below(2) == 0 => lying.shuffle(choose),
                _ => lying.lie_within(choose),
            }
        }
        let mut bytes = lying.bytes();
        for lie in raw {
            match lie {
                Lie::Table => lie_in_table(&mut bytes, choose),
                Lie::End => lie_at_end(&mut bytes, choose),
            }
        }
        bytes
    }

    /// The file as its writer would have made it of these sections.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.header.to_vec();
        let mut table = Vec::new();
        for (name, content) in &self.sections {
            bytes.resize(bytes.len().next_multiple_of(64), 0);
            table.extend_from_slice(name);
            table.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            table.extend_from_slice(&(content.len() as u64).to_le_bytes());
            bytes.extend_from_slice(content);
        }
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let start = bytes.len() as u64;
        bytes.extend_from_slice(&table);
        let length = bytes.len() as u64 + FOOTER as u64;
        bytes.extend_from_slice(&start.to_le_bytes());
        bytes.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&self.header[8..12]);
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(b"CUTOVEND");
        bytes
    }

    fn lie_in_header(&mut self, choose: &mut impl Choose) {
        let at = if choose.below(8) == 0 { choose.below(PARAMS / 4) * 4 } else { PARAMS + 4 * choose.below(12) };
        let value = self.telling(choose);
        self.header[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn lie_within(&mut self, choose: &mut impl Choose) {
        let value = self.telling(choose);
        let at = choose.below(self.sections.len().max(1));
        if let Some((_, content)) = self.sections.get_mut(at) {
            lie_in_words(content, value, choose);
        }
    }

    /// Makes a section longer or shorter, and its entry in the table with it.
    fn resize(&mut self, choose: &mut impl Choose) {
        let at = choose.below(self.sections.len().max(1));
        if let Some((_, content)) = self.sections.get_mut(at) {
            let length = content.len();
            let by = [1, 4, 64, 4096, length / 2, length][choose.below(6)];
            content.resize(if choose.below(2) == 0 { length.saturating_sub(by) } else { length + by }, 0);
        }
    }

    /// Exchanges, drops or doubles sections.
    fn shuffle(&mut self, choose: &mut impl Choose) {
        let count = self.sections.len();
        if count == 0 {
            return;
        }
        let (one, other) = (choose.below(count), choose.below(count));
        match choose.below(3) {
            0 => {
                let content = std::mem::take(&mut self.sections[one].1);
                self.sections[one].1 = std::mem::replace(&mut self.sections[other].1, content);
            }
            1 => drop(self.sections.remove(one)),
            _ => self.sections.push(self.sections[one].clone()),
        }
    }

    /// A number at which something may break: a limit, a float that is none, or about one of the header's.
    fn telling(&self, choose: &mut impl Choose) -> u32 {
        let at = PARAMS + 4 * choose.below(12);
        let said = u32::from_le_bytes(self.header[at..at + 4].try_into().unwrap());
        telling(said, choose)
    }
}

/// What is done to the finished bytes.
#[derive(Clone, Copy, Debug)]
enum Lie {
    Table,
    End,
}

/// A number at which something may break; `said` is one that the file has.
fn telling(said: u32, choose: &mut impl Choose) -> u32 {
    const LIMITS: [u32; 12] = [
        0,
        1,
        u32::MAX,
        u32::MAX - 1,
        i32::MAX as u32,
        1 << 31,
        0x7fc0_0000,
        0x7f80_0000,
        0xff80_0000,
        0x7f7f_ffff,
        0x0080_0000,
        0x8000_0001,
    ];
    match choose.below(6) {
        0 => choose.word(),
        1 | 2 => LIMITS[choose.below(LIMITS.len())],
        3 => said.wrapping_sub(1),
        4 => said.wrapping_add(1),
        _ => said,
    }
}

/// Changes a word, a run of words, some bits, or makes one word another's value.
fn lie_in_words(content: &mut [u8], value: u32, choose: &mut impl Choose) {
    let words = content.len() / 4;
    if words == 0 {
        return;
    }
    let at = 4 * choose.below(words);
    match choose.below(6) {
        0 => {
            let to = (at + 4 + 4 * choose.below(256)).min(4 * words);
            content[at..to].as_chunks_mut().0.iter_mut().for_each(|word| *word = value.to_le_bytes());
        }
        1 => {
            for _ in 0..=choose.below(32) {
                let at = choose.below(content.len());
                content[at] ^= 1 << choose.below(8);
            }
        }
        2 => content.copy_within(at..at + 4, 4 * choose.below(words)),
        _ => content[at..at + 4].copy_from_slice(&value.to_le_bytes()),
    }
}

/// Lets an entry of the table, or the footer, lead elsewhere: into another section, the table itself, or out of the file.
fn lie_in_table(bytes: &mut [u8], choose: &mut impl Choose) {
    let length = bytes.len();
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    // An earlier lie may have left no table.
    let Some(end) = length.checked_sub(FOOTER) else { return };
    let table = number(bytes, end) as usize;
    let Some(entries) = end.checked_sub(table).map(|bytes| bytes / ENTRY) else { return };
    let field = |choose: &mut dyn FnMut(usize) -> usize| table + ENTRY * choose(entries.max(1)) + NAME + 8 * choose(2);
    let mut below = |end| choose.below(end);
    let other = number(bytes, field(&mut below).min(length - 8));
    let targets =
        [0, 64, other, other.wrapping_add(64), other.wrapping_sub(64), table as u64, length as u64, u64::MAX, 1 << 63];
    let value = targets[below(targets.len())];
    let at = if below(4) == 0 { end + 8 * below(4) } else { field(&mut below).min(length - 8) };
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn lie_at_end(bytes: &mut Vec<u8>, choose: &mut impl Choose) {
    if choose.below(2) == 0 {
        bytes.truncate(choose.below(bytes.len() + 1));
    } else {
        let length = bytes.len() + choose.below(200);
        bytes.resize(length, choose.word() as u8);
    }
}

/// A file of hnswlib's with one to four lies: in its header, its elements, its upper lists, or its length.
#[must_use]
pub fn lie_of_hnswlib(sound: &[u8], choose: &mut impl Choose) -> Vec<u8> {
    const HEADER: usize = 96;
    let mut bytes = sound.to_vec();
    for _ in 0..=choose.below(3) {
        let words = bytes.len() / 4;
        if words == 0 {
            return bytes;
        }
        let from = 4 * choose.below((HEADER / 4).min(words));
        let said = u32::from_le_bytes(bytes[from..from + 4].try_into().unwrap());
        let value = telling(said, choose);
        match choose.below(16) {
            0 => bytes[from..from + 4].copy_from_slice(&value.to_le_bytes()),
            1 if choose.below(4) == 0 => lie_at_end(&mut bytes, choose),
            _ => {
                let start = HEADER.min(bytes.len());
                lie_of_small_numbers(&mut bytes[start..], value, choose);
            }
        }
    }
    bytes
}

/// As [`lie_in_words`], but links among few elements stay among them more often than not.
fn lie_of_small_numbers(content: &mut [u8], value: u32, choose: &mut impl Choose) {
    let words = content.len() / 4;
    if words > 0 && choose.below(3) > 0 {
        let at = 4 * choose.below(words);
        let small = choose.below(64) as u32;
        content[at..at + 4].copy_from_slice(&small.to_le_bytes());
    } else {
        lie_in_words(content, value, choose);
    }
}
