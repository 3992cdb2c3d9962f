//! Levels, the pool and the heuristic, each against the plainest way to do the same.

use super::{
    super::{
        heuristic::Choice,
        levels,
        lists::Lists,
        pool::{Near, Pool},
    },
    Ground, LINE, Random,
};
use crate::{build::Points as _, parameters::Parameters};

#[test]
fn a_level_is_as_rare_as_m_says() {
    let drawn: Vec<u8> = levels(16, 7).take(160_000).collect();
    let above = |level| drawn.iter().filter(|&&drawn| drawn >= level).count();
    assert!((9_000..11_000).contains(&above(1)), "{}", above(1));
    assert!((500..750).contains(&above(2)), "{}", above(2));
    assert_eq!(drawn, levels(16, 7).take(160_000).collect::<Vec<u8>>());
    assert_ne!(drawn, levels(16, 8).take(160_000).collect::<Vec<u8>>());
}

#[test]
fn nears_sort_as_distances_do_then_by_place_and_return_both() {
    let ascending = [f32::NEG_INFINITY, -f32::MAX, -1.5, 0.0, f32::MIN_POSITIVE, 0.1, 2.0, f32::MAX, f32::INFINITY];
    for pair in ascending.windows(2) {
        assert!(Near::new(pair[0], 3).marked() < Near::new(pair[1], 9), "{pair:?}");
    }
    assert!(Near::new(0.5, 3).marked() < Near::new(0.5, 4));
    for distance in ascending {
        for place in [0, 123, i32::MAX as u32 - 1] {
            let near = Near::new(distance, place);
            for near in [near, near.marked()] {
                assert_eq!((near.distance().to_bits(), near.place()), (distance.to_bits(), place));
            }
            assert!(near.marked().is_marked() && !near.is_marked() && near.marked().unmarked() == near);
        }
    }
}

#[test]
fn a_pool_keeps_the_nearest_and_takes_each_once_from_the_nearest_on() {
    let mut random = Random(5);
    for limit in [1, 2, 7, 50] {
        let mut pool = Pool::default();
        pool.reset(limit);
        let mut all = Vec::new();
        for place in 0..400 {
            // Every distance differs, so that what is kept does not depend on the order.
            let distance = (random.below(1000) * 1000 + place) as f32;
            all.push(Near::new(distance, place));
            pool.offer(distance, place);
            all.sort_unstable();
            all.truncate(limit);
            if random.below(3) == 0 {
                let expected = all.iter().position(|near| !near.is_marked());
                assert_eq!(pool.peek(), expected.map(|at| all[at].place()));
                assert_eq!(pool.take(), expected.map(|at| all[at].place()));
                if let Some(at) = expected {
                    all[at] = all[at].marked();
                }
            }
            assert_eq!(pool.nears(), all);
        }
    }
}

#[test]
fn of_places_equally_far_a_full_pool_keeps_those_that_came_first() {
    let mut pool = Pool::default();
    pool.reset(3);
    for place in 0..10 {
        assert_eq!(pool.offer(1.0, place), place < 3);
    }
    let mut kept: Vec<u32> = pool.nears().iter().map(|near| near.place()).collect();
    kept.sort_unstable();
    assert_eq!(kept, [0, 1, 2]);
}

/// Algorithm 4 as hnswlib writes it: each candidate asks all that were chosen.
fn plainly(ground: &Ground, candidates: &[Near], limit: usize) -> Vec<u32> {
    let mut chosen: Vec<u32> = Vec::new();
    for near in candidates {
        if chosen.len() == limit {
            break;
        }
        let mut from = 0;
        ground.points.prepare(near.place(), &mut from);
        let mut distances = vec![0.0; chosen.len()];
        ground.points.measure(&from, &chosen, &mut distances);
        if !distances.iter().any(|&distance| distance < near.distance()) {
            chosen.push(near.place());
        }
    }
    chosen
}

#[test]
fn the_heuristic_chooses_as_hnswlib_does_and_is_not_misled_by_what_it_knows() {
    let mut random = Random(9);
    for dimensions in [2, 8, 24] {
        let ground = Ground::new(Parameters { dimensions, ..LINE }, &random.rows(300, dimensions));
        let lists = Lists::new(4, &ground.levels).unwrap();
        let mut choice = Choice::default();
        let mut from = 0;
        ground.points.prepare(0, &mut from);
        let mut distances = vec![0.0; 299];
        ground.points.measure(&from, &(1..300).collect::<Vec<u32>>(), &mut distances);
        let mut candidates: Vec<Near> = distances.iter().zip(1..).map(|(&at, place)| Near::new(at, place)).collect();
        candidates.sort_unstable();
        for limit in [1, 4, 16, 300] {
            let expected = plainly(&ground, &candidates, limit);
            let chosen = choice.choose(&ground.points, lists.layer(0), &mut candidates, limit, -1.0);
            assert_eq!(chosen.iter().map(|near| near.place()).collect::<Vec<u32>>(), expected, "{dimensions} {limit}");
        }
        // A list that was chosen, and a few that came later.
        let known = plainly(&ground, &candidates, 300);
        let later = |near: &Near| near.place().is_multiple_of(5);
        let mut marked: Vec<Near> = candidates
            .iter()
            .filter(|near| known.contains(&near.place()) || later(near))
            .map(|near| if known.contains(&near.place()) { near.marked() } else { *near })
            .collect();
        let mut plain: Vec<Near> = marked.iter().map(|near| near.unmarked()).collect();
        let before = ground.measured();
        let chosen = choice.choose(&ground.points, lists.layer(0), &mut marked, 300, -1.0).to_vec();
        let with_marks = ground.measured() - before;
        assert_eq!(chosen.iter().map(|near| near.place()).collect::<Vec<u32>>(), plainly(&ground, &plain, 300));
        let before = ground.measured();
        choice.choose(&ground.points, lists.layer(0), &mut plain, 300, -1.0);
        assert!(with_marks < ground.measured() - before, "marks saved nothing in {dimensions} dimensions");
    }
}

#[test]
fn at_most_half_of_the_chosen_are_equal_to_the_node() {
    let mut rows = vec![vec![1.0, 1.0]; 100];
    rows.extend((0..50_u16).map(|i| vec![f32::from(i).sin() * 9.0, f32::from(i).cos() * 9.0]));
    let ground = Ground::new(LINE, &rows);
    let lists = Lists::new(4, &ground.levels).unwrap();
    let mut distances = vec![0.0; 149];
    ground.points.measure(&0, &(1..150).collect::<Vec<u32>>(), &mut distances);
    let mut candidates: Vec<Near> = distances.iter().zip(1..).map(|(&at, place)| Near::new(at, place)).collect();
    candidates.sort_unstable();
    let mut choice = Choice::default();
    let chosen = choice.choose(&ground.points, lists.layer(0), &mut candidates, 8, 0.0);
    let equal = chosen.iter().filter(|near| near.place() < 100).count();
    assert_eq!(equal, 4, "{chosen:?}");
    // The first, then the newest.
    assert_eq!(chosen[..4].iter().map(|near| near.place()).collect::<Vec<u32>>(), [1, 99, 98, 97]);
}
