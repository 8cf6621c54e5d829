//! Which scans a file has.

use crate::jpeg::geometry::units_across;
use crate::jpeg::layout::{Component, Layout, Process, Scan};
use crate::random::Random;

/// The most blocks that a unit of several components may have.
const MOST_BLOCKS: usize = 10;

fn fits(components: &[Component], group: &[usize]) -> bool {
    let blocks = |&index: &usize| components[index].across * components[index].down;
    group.len() == 1 || group.iter().map(blocks).sum::<usize>() <= MOST_BLOCKS
}

fn scan(mut components: Vec<usize>, band: (usize, usize), bits: (u8, u8)) -> Scan {
    // A scan has its components in the order of the frame.
    components.sort_unstable();
    let tables = vec![(0, 0); components.len()];
    Scan { components, first: band.0, last: band.1, high: bits.0, low: bits.1, tables, restart: 0 }
}

/// Groups of components: one scan each.
fn groups(components: &[Component], plain: bool, random: &mut Random) -> Vec<Vec<usize>> {
    let all: Vec<usize> = (0..components.len()).collect();
    let mut groups: Vec<Vec<usize>> = match random.between(0, 5) {
        _ if plain => vec![all],
        0 | 1 => vec![all],
        2 => all.into_iter().map(|component| vec![component]).collect(),
        3 => vec![vec![0], all[1..].to_vec()],
        4 => vec![all[1..].to_vec(), vec![0]],
        _ => {
            let mut groups = vec![Vec::new(); components.len()];
            for component in all {
                groups[random.between(0, components.len() - 1)].push(component);
            }
            random.shuffle(&mut groups);
            groups
        }
    };
    groups.retain(|group| !group.is_empty());
    let split = |group: Vec<usize>| match fits(components, &group) {
        true => vec![group],
        false => group.into_iter().map(|component| vec![component]).collect(),
    };
    groups.into_iter().flat_map(split).collect()
}

/// The scans of a layout that has all but them.
pub(crate) fn scans(layout: &Layout, random: &mut Random) -> Vec<Scan> {
    let components = &layout.components;
    let mut scans = match layout.process {
        Process::Progressive if random.chance(25) => usual(components),
        Process::Progressive => progressive(components, random),
        _ => groups(components, layout.plain, random)
            .into_iter()
            .map(|group| scan(group, (0, 63), (0, 0)))
            .collect(),
    };
    restarts(layout, &mut scans, random);
    slots(layout, &mut scans, random);
    scans
}

fn restarts(layout: &Layout, scans: &mut [Scan], random: &mut Random) {
    let style =
        if layout.plain { random.pick(&[0, 0, 0, 0, 1, 2]) } else { random.pick(&[0, 0, 0, 1, 2, 3, 4, 5]) };
    let odd = random.between(0, 20) * 2 + 1;
    for scan in scans {
        let row = units_across(layout, &scan.components);
        scan.restart = match style {
            0 => 0,
            1 => row,
            2 => units_across(layout, &[0]),
            3 => 1,
            4 => odd,
            _ => random.pick(&[0, 1, 2, 3, 7, row, row * 2, row + 1, 1000]),
        };
    }
}

fn slots(layout: &Layout, scans: &mut [Scan], random: &mut Random) {
    let most = if layout.process == Process::Baseline { 1 } else { 3 };
    let mut slot = |component: usize| match layout.plain {
        true => (u8::from(component > 0), u8::from(component > 0)),
        false => (random.between(0, most) as u8, random.between(0, most) as u8),
    };
    let steady: Vec<(u8, u8)> = (0..layout.components.len()).map(&mut slot).collect();
    let changing = !layout.plain && slot(0).0 == 0;
    for scan in scans {
        for (tables, &component) in scan.tables.iter_mut().zip(&scan.components) {
            *tables = if changing { slot(component) } else { steady[component] };
            // What a scan does not use it calls 0.
            tables.0 *= u8::from(scan.first == 0 && scan.high == 0);
            tables.1 *= u8::from(scan.last > 0);
        }
    }
}

/// The script that libjpeg writes where it is told nothing else.
fn usual(components: &[Component]) -> Vec<Scan> {
    let all: Vec<usize> = (0..components.len()).collect();
    let heads = |bits| match fits(components, &all) {
        true => vec![scan(all.clone(), (0, 0), bits)],
        false => all.iter().map(|&one| scan(vec![one], (0, 0), bits)).collect(),
    };
    let chroma = |bits| all[1..].iter().rev().map(move |&one| scan(vec![one], (1, 63), bits));
    let mut scans = heads((0, 1));
    scans.push(scan(vec![0], (1, 5), (0, 2)));
    scans.extend(chroma((0, 1)));
    scans.push(scan(vec![0], (6, 63), (0, 2)));
    scans.push(scan(vec![0], (1, 63), (2, 1)));
    scans.extend(heads((1, 0)));
    scans.extend(chroma((1, 0)));
    scans.push(scan(vec![0], (1, 63), (1, 0)));
    scans
}

/// A script of any kind: at each step something that may come next.
fn progressive(components: &[Component], random: &mut Random) -> Vec<Scan> {
    let mut known: Vec<[Option<u8>; 64]> = vec![[None; 64]; components.len()];
    let mut scans = Vec::new();
    let deep = random.pick(&[0, 0, 1, 2, 3]);
    let dc_deep = random.pick(&[0, 1, 1, 2, 4]);
    let whole_bands = random.pick(&[0, 60, 85]);
    let dc_together = random.chance(60);
    let dc_first = random.chance(70);
    let in_order = random.chance(50);
    loop {
        let open: Vec<usize> =
            (0..components.len()).filter(|&one| known[one].iter().any(|bit| *bit != Some(0))).collect();
        let headless: Vec<usize> = open.iter().copied().filter(|&one| known[one][0].is_none()).collect();
        let Some(&start) = open.first() else { break };
        let component = match headless.is_empty() {
            false if dc_first => random.pick(&headless),
            _ if in_order && random.chance(80) => start,
            _ => random.pick(&open),
        };
        let next = match known[component][0] {
            None => {
                let group = group(components, &headless, component, dc_together, random);
                scan(group, (0, 0), (0, random.between(0, dc_deep) as u8))
            }
            Some(high)
                if high > 0
                    && (random.chance(30) || known[component][1..].iter().all(|bit| *bit == Some(0))) =>
            {
                let alike = |one: &usize| known[*one][0] == Some(high);
                let alike: Vec<usize> = open.iter().copied().filter(alike).collect();
                scan(group(components, &alike, component, dc_together, random), (0, 0), (high, high - 1))
            }
            Some(_) => match band(&known[component], whole_bands, random) {
                Some((first, last)) => match known[component][first] {
                    None => scan(vec![component], (first, last), (0, random.between(0, deep) as u8)),
                    Some(high) => scan(vec![component], (first, last), (high, high - 1)),
                },
                None => continue,
            },
        };
        for &one in &next.components {
            known[one][next.first..=next.last].fill(Some(next.low));
        }
        scans.push(next);
    }
    incomplete(&mut scans, random);
    scans
}

/// The component, and others that may come in the same scan.
fn group(
    components: &[Component],
    others: &[usize],
    one: usize,
    together: bool,
    random: &mut Random,
) -> Vec<usize> {
    let mut group = vec![one];
    for &other in others.iter().filter(|&&other| other != one) {
        let wider = [&group[..], &[other]].concat();
        if (together || random.chance(30)) && fits(components, &wider) {
            group = wider;
        }
    }
    group
}

/// A band of which all coefficients are at the same bit, and have one to come.
fn band(known: &[Option<u8>; 64], whole: usize, random: &mut Random) -> Option<(usize, usize)> {
    let open: Vec<usize> = (1..64).filter(|&place| known[place] != Some(0)).collect();
    if open.is_empty() {
        return None;
    }
    let first = if random.chance(70) { open[0] } else { random.pick(&open) };
    let most = (first..64).take_while(|&place| known[place] == known[first]).last()?;
    let last = if random.chance(whole) { most } else { (first + random.between(0, 40)).min(most) };
    Some((first, last))
}

/// Leaves away refinements at the end, as of a file that was never finished.
fn incomplete(scans: &mut Vec<Scan>, random: &mut Random) {
    let lowest = match random.between(0, 19) {
        0 => 1,
        1..=3 => 10,
        _ => return,
    };
    // A refinement that others build on stays.
    for place in (0..scans.len()).rev() {
        let scan = &scans[place];
        let refines = scan.high > 0 && (scan.first == 0 || scan.first >= lowest);
        let overlaps = |later: &Scan| {
            later.first <= scan.last
                && later.last >= scan.first
                && later.components.iter().any(|component| scan.components.contains(component))
        };
        if refines && !scans[place + 1..].iter().any(overlaps) && random.chance(70) {
            scans.remove(place);
        }
    }
}
