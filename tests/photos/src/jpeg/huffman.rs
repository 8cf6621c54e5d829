//! Huffman tables.

/// The symbols of a table in the order of their codes, and how many codes have each length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Table {
    counts: [u8; 16],
    symbols: Vec<u8>,
}

impl Table {
    /// The best table for symbols that come so often (annex K.2 of the standard).
    pub(crate) fn best(often: &[u64; 256]) -> Self {
        // The last symbol is never written: its code would be of ones alone, which the standard keeps free.
        let mut weights: Vec<(u64, Vec<usize>)> = (0..256)
            .filter(|&symbol| often[symbol] > 0)
            .map(|symbol| (often[symbol], vec![symbol]))
            .chain([(0, vec![256])])
            .collect();
        let mut lengths = [0; 257];
        while weights.len() > 1 {
            weights.sort_by_key(|(weight, symbols)| (std::cmp::Reverse(*weight), symbols[0]));
            let (Some(one), Some(other)) = (weights.pop(), weights.pop()) else { break };
            let symbols = [one.1, other.1].concat();
            for &symbol in &symbols {
                lengths[symbol] += 1;
            }
            weights.push((one.0 + other.0, symbols));
        }
        let mut counts = [0_usize; 258];
        for &length in lengths.iter().filter(|&&length| length > 0) {
            counts[length] += 1;
        }
        limit(&mut counts);
        let mut symbols: Vec<usize> = (0..256).filter(|&symbol| lengths[symbol] > 0).collect();
        symbols.sort_by_key(|&symbol| (lengths[symbol], symbol));
        let counts = std::array::from_fn(|place| counts[place + 1] as u8);
        Self { counts, symbols: symbols.into_iter().map(|symbol| symbol as u8).collect() }
    }

    /// A table of annex K.3 of the standard: for luma where `chroma` is false.
    pub(crate) fn standard(ac: bool, chroma: bool) -> Self {
        let (counts, symbols): ([u8; 16], &[u8]) = match (ac, chroma) {
            (false, false) => ([0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], &DC_SYMBOLS),
            (false, true) => ([0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], &DC_SYMBOLS),
            (true, false) => ([0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D], &LUMA_AC_SYMBOLS),
            (true, true) => ([0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], &CHROMA_AC_SYMBOLS),
        };
        let mut symbols = symbols.to_vec();
        if ac {
            // The rest of both goes by run and size, those with the longest codes.
            let rest =
                (0..=255_u8).filter(|symbol| (1..=10).contains(&(symbol & 15)) && !symbols.contains(symbol));
            let rest: Vec<u8> = rest.collect();
            symbols.extend(rest);
        }
        Self { counts, symbols }
    }

    /// The table as its segment has it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        [&self.counts[..], &self.symbols].concat()
    }

    /// For each symbol its code and how many bits that has, none without a code.
    pub(crate) fn codes(&self) -> [(u32, u32); 256] {
        let mut codes = [(0, 0); 256];
        let mut symbols = self.symbols.iter();
        let mut code = 0;
        for (count, length) in self.counts.iter().zip(1..) {
            for &symbol in symbols.by_ref().take(usize::from(*count)) {
                codes[usize::from(symbol)] = (code, length);
                code += 1;
            }
            code <<= 1;
        }
        codes
    }
}

/// Makes no code longer than 16 bits and takes away the one of the symbol that is never written.
fn limit(counts: &mut [usize; 258]) {
    for length in (17..counts.len()).rev() {
        while counts[length] > 0 {
            let shorter = (1..length - 1).rev().find(|&shorter| counts[shorter] > 0).unwrap_or(1);
            counts[length] -= 2;
            counts[length - 1] += 1;
            counts[shorter + 1] += 2;
            counts[shorter] -= 1;
        }
    }
    if let Some(longest) = (1..=16).rev().find(|&length| counts[length] > 0) {
        counts[longest] -= 1;
    }
}

const DC_SYMBOLS: [u8; 12] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11];

const LUMA_AC_SYMBOLS: [u8; 37] = [
    0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61, 0x07, 0x22,
    0x71, 0x14, 0x32, 0x81, 0x91, 0xA1, 0x08, 0x23, 0x42, 0xB1, 0xC1, 0x15, 0x52, 0xD1, 0xF0, 0x24, 0x33,
    0x62, 0x72, 0x82,
];

const CHROMA_AC_SYMBOLS: [u8; 43] = [
    0x00, 0x01, 0x02, 0x03, 0x11, 0x04, 0x05, 0x21, 0x31, 0x06, 0x12, 0x41, 0x51, 0x07, 0x61, 0x71, 0x13,
    0x22, 0x32, 0x81, 0x08, 0x14, 0x42, 0x91, 0xA1, 0xB1, 0xC1, 0x09, 0x23, 0x33, 0x52, 0xF0, 0x15, 0x62,
    0x72, 0xD1, 0x0A, 0x16, 0x24, 0x34, 0xE1, 0x25, 0xF1,
];
