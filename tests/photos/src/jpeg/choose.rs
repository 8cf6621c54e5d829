//! Layouts by chance.

use std::array::from_fn;

use crate::jpeg::layout::{Component, Huffman, Layout, Place, Process, Quantisation};
use crate::jpeg::pixels::{Content, Padding};
use crate::jpeg::script::scans;
use crate::random::Random;

impl Layout {
    /// The layout of a seed: about a third are plain ones, as most cameras and programs write them.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed, 1);
        let plain = random.chance(33);
        let odd = |random: &mut Random, percent: usize| !plain && random.chance(percent);
        let process = match plain {
            true => Process::Baseline,
            false => random.pick(&[
                Process::Baseline,
                Process::Extended,
                Process::Progressive,
                Process::Progressive,
            ]),
        };
        let (width, height) = sides(&mut random);
        let count =
            if plain { random.pick(&[1, 3, 3, 3, 3, 3]) } else { random.pick(&[1, 3, 3, 3, 3, 3, 3, 3, 4]) };
        let factors = if plain { common(count, &mut random) } else { factors(count, &mut random) };
        let ids = ids(plain, count, &mut random);
        let (jfif, adobe) = hints(plain, count, &mut random);
        let components = (0..count)
            .map(|one| Component {
                id: ids[one],
                across: factors[one].0,
                down: factors[one].1,
                quantisation: 0,
            })
            .collect();
        let mut layout = Self {
            seed,
            plain,
            width,
            height,
            content: random.pick(&[
                Content::Smooth,
                Content::Noise,
                Content::Edges,
                Content::Text,
                Content::Flat,
            ]),
            padding: if plain {
                Padding::Repeated
            } else {
                random.pick(&[Padding::Repeated, Padding::Black, Padding::Noise])
            },
            process,
            components,
            quantisations: Vec::new(),
            scans: Vec::new(),
            jfif,
            adobe,
            late_hints: odd(&mut random, 8),
            huffman: match plain {
                true => random.pick(&[Huffman::Standard, Huffman::Scan]),
                false => random.pick(&[Huffman::Standard, Huffman::Scan, Huffman::File, Huffman::Odd]),
            },
            run_limit: random.pick(&[1, 2, 5, 300, 0x7FFF, 0x7FFF, 0x7FFF]),
            quantisation_place: match plain {
                true => Place::BeforeFrame,
                false => random.pick(&[Place::BeforeFrame, Place::AfterFrame, Place::BeforeScan]),
            },
            early_huffman: odd(&mut random, 35),
            split_segments: random.chance(50),
            spare_tables: odd(&mut random, 15),
            repeated_tables: odd(&mut random, 15),
            shuffled_segments: odd(&mut random, 40),
            comments: odd(&mut random, 35),
            fill: odd(&mut random, 20),
            fill_restarts: odd(&mut random, 20),
            trailing: if odd(&mut random, 15) { random.between(1, 50) } else { 0 },
        };
        if layout.huffman == Huffman::Standard {
            // The standard's tables have no code for longer runs.
            layout.run_limit = 1;
        }
        layout.scans = scans(&layout, &mut random);
        quantise(&mut layout, &mut random);
        layout
    }
}

fn sides(random: &mut Random) -> (usize, usize) {
    match random.between(0, 9) {
        0 => (random.between(71, 300), random.between(1, 70)),
        1 => (random.between(1, 17), random.between(1, 17)),
        2 => (random.between(1, 70), random.between(71, 150)),
        // Whole blocks and units, as cameras have them: such files may go another way.
        3 | 4 => (16 * random.between(1, 12), 16 * random.between(1, 8)),
        5 => (8 * random.between(1, 24), 8 * random.between(1, 16)),
        _ => (random.between(1, 70), random.between(1, 70)),
    }
}

fn common(count: usize, random: &mut Random) -> Vec<(usize, usize)> {
    let mut factors = vec![(1, 1); count];
    if count > 1 {
        factors[0] = random.pick(&[(1, 1), (2, 1), (2, 2), (2, 2)]);
    }
    factors
}

fn factors(count: usize, random: &mut Random) -> Vec<(usize, usize)> {
    let mut factors = match random.between(0, 99) {
        // libjpeg knows whole ratios only.
        0..2 if count > 1 => (0..count).map(|_| (random.between(1, 4), random.between(1, 4))).collect(),
        0..25 => common(count, random),
        25..50 if count > 1 => {
            let mut factors = vec![(1, 1); count];
            factors[0] = random.pick(&[
                (2, 1),
                (1, 2),
                (4, 1),
                (1, 4),
                (4, 2),
                (2, 4),
                (3, 1),
                (1, 3),
                (3, 2),
                (4, 4),
            ]);
            factors
        }
        25..40 => vec![random.pick(&[(2, 2), (2, 1), (1, 2), (4, 4), (3, 3), (1, 1)]); count],
        _ => {
            let choices = [&[1][..], &[1, 2], &[1, 2], &[1, 2, 4], &[1, 3], &[2, 4], &[2], &[3]];
            let (across, down) = (random.pick(&choices), random.pick(&choices));
            (0..count).map(|_| (random.pick(across), random.pick(down))).collect::<Vec<_>>()
        }
    };
    if count == 4 && random.chance(60) {
        factors[3] = factors[0];
    }
    if count > 2 && random.chance(60) {
        factors[2] = factors[1];
    }
    factors
}

fn ids(plain: bool, count: usize, random: &mut Random) -> Vec<u8> {
    let mut ids = match random.between(0, 9) {
        _ if plain => vec![1, 2, 3, 4],
        0..=4 => vec![1, 2, 3, 4],
        5 => vec![0, 1, 2, 3],
        6 | 7 => {
            if count == 4 {
                b"CMYK".to_vec()
            } else {
                b"RGB".to_vec()
            }
        }
        _ => {
            let mut all: Vec<u8> = (0..=255).collect();
            random.shuffle(&mut all);
            all
        }
    };
    ids.truncate(count);
    ids
}

fn hints(plain: bool, count: usize, random: &mut Random) -> (bool, Option<u8>) {
    if count == 4 {
        return (random.chance(20), Some(random.pick(&[0, 2])));
    }
    if plain {
        return (true, None);
    }
    let adobe = Some(random.pick(&[0, 0, 1, 1, 2]));
    random.pick(&[
        (true, None),
        (true, None),
        (false, None),
        (false, None),
        (false, adobe),
        (false, adobe),
        (true, adobe),
    ])
}

/// Makes the tables of a layout that has its scans.
fn quantise(layout: &mut Layout, random: &mut Random) {
    let count = layout.components.len();
    // Only where each scan begins and ends a component may its table be in the place of another's.
    let alone =
        layout.process != Process::Progressive && layout.scans.iter().all(|scan| scan.components.len() == 1);
    let replaced = alone && count > 1 && random.chance(30);
    if replaced {
        layout.quantisation_place = Place::BeforeScan;
    }
    let tables: Vec<usize> = match layout.plain {
        true => [0, 1, 1][..count].to_vec(),
        false if replaced => (0..count).collect(),
        false => (0..count).map(|_| random.between(0, count - 1)).collect(),
    };
    let mut slots = vec![0, 1, 2, 3];
    if !layout.plain {
        random.shuffle(&mut slots);
    }
    for &table in &tables {
        if !layout.quantisations.iter().any(|made| made.slot == slots[table]) || replaced {
            let slot = if replaced { slots[0] } else { slots[table] };
            let wide = layout.process != Process::Baseline && random.chance(20);
            let values = values(wide, random);
            layout.quantisations.push(Quantisation { slot, wide, values });
        }
    }
    for (one, table) in tables.into_iter().enumerate() {
        let made = layout.quantisations.iter().position(|made| made.slot == slots[table]);
        layout.components[one].quantisation = if replaced { one } else { made.unwrap_or(0) };
    }
}

fn values(wide: bool, random: &mut Random) -> [u16; 64] {
    let (start, slope) = match random.between(0, 9) {
        0..=3 => (random.between(1, 2), random.between(0, 3)),
        4..=7 => (random.between(2, 10), random.between(2, 10)),
        8 => (random.between(1, 40), random.between(0, 60)),
        _ => (random.between(1, 255), 0),
    };
    // A few large steps make the width matter.
    let large = if wide { random.between(10, 90) } else { 64 };
    from_fn(|place| {
        let step = start + slope * place / 10 + random.between(0, 1 + slope / 4);
        if place > large { step + random.between(256, 3000) } else { step.min(255) }
    })
    .map(|step| step as u16)
}
