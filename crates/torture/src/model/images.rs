//! Which of the images that a power cut may leave are looked at: the worst ones always, and some at random.

use super::disk::{Choice, Disk, Kept};
use crate::random::Random;

/// The canonical choices, and `sampled` others.
pub fn choices(disk: &Disk, random: &mut Random, sampled: usize) -> Vec<Choice> {
    let (names, files) = (disk.open_changes(), disk.dirty_files());
    let choice = |names: Vec<usize>, kept: &dyn Fn(usize) -> Kept| Choice {
        names: names.into_iter().collect(),
        files: files.iter().map(|file| (*file, kept(*file))).collect(),
    };
    let mut all = vec![
        choice(names.clone(), &|_| Kept::Nothing),
        choice(names.clone(), &|_| Kept::All),
        choice(Vec::new(), &|_| Kept::Nothing),
        choice(Vec::new(), &|_| Kept::All),
    ];
    // Each change of names alone is missing, or alone is there; each file alone is not whole.
    for name in &names {
        all.push(choice(names.iter().copied().filter(|other| other != name).collect(), &|_| Kept::All));
        all.push(choice(vec![*name], &|_| Kept::All));
    }
    for file in &files {
        all.push(choice(names.clone(), &|other| if other == *file { Kept::Nothing } else { Kept::All }));
        all.push(choice(names.clone(), &|other| if other == *file { Kept::Half } else { Kept::All }));
    }
    for _ in 0..sampled {
        let some = names.iter().copied().filter(|_| random.below(2) == 0).collect();
        let drawn: Vec<(usize, Kept)> =
            files.iter().map(|file| (*file, [Kept::Nothing, Kept::Half, Kept::All][random.below(3)])).collect();
        let kept = |file: usize| drawn.iter().find(|(other, _)| *other == file).map_or(Kept::All, |(_, kept)| *kept);
        all.push(choice(some, &kept));
    }
    all
}
