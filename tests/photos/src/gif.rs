//! GIF files that viewers show: frames beside the screen, extensions of any kind, ends that are missing.

use crate::random::Random;
use crate::record::File;

/// The file of a seed.
pub fn file(seed: u64) -> File {
    let mut random = Random::new(seed, 1);
    let mut gif = Gif { bytes: Vec::new(), said: Vec::new(), random: Random::new(seed, 2) };
    let most = random.pick(&[1, 5]);
    let frames = random.between(1, most);
    // Pillow mixes up the colours of frames with and without a palette.
    let screen = gif.screen(frames > 1);
    for _ in 0..frames {
        gif.notes();
        gif.frame(screen);
    }
    let last = gif.bytes.len();
    gif.notes();
    let kind = gif.end(&mut random, last);
    let kind = if frames == 1 { kind.to_owned() } else { format!("{kind}, frames") };
    File { description: gif.said.join(", "), kind, bytes: gif.bytes }
}

struct Gif {
    bytes: Vec<u8>,
    said: Vec<String>,
    random: Random,
}

/// Bits of an index into a palette.
const COLORS: [u8; 3] = [1, 2, 4];

impl Gif {
    fn say(&mut self, words: impl Into<String>) {
        self.said.push(words.into());
    }

    fn number(&mut self, number: usize) {
        self.bytes.extend((number as u16).to_le_bytes());
    }

    /// Writes the head; gives the sides of the screen.
    fn screen(&mut self, palette: bool) -> (usize, usize) {
        self.bytes.extend(if self.random.chance(80) { b"GIF89a" } else { b"GIF87a" });
        let side = |random: &mut Random| if random.chance(10) { 0 } else { random.between(1, 24) };
        let screen =
            if self.random.chance(10) { (0, 0) } else { (side(&mut self.random), side(&mut self.random)) };
        self.say(format!("screen {}×{}", screen.0, screen.1));
        self.number(screen.0);
        self.number(screen.1);
        let bits = self.random.pick(&COLORS);
        let palette = palette || self.random.chance(90);
        let flags = if palette { 0x80 | (bits - 1) } else { 0 };
        self.bytes.extend([flags, self.random.between(0, (1 << bits) - 1) as u8, 0]);
        if palette {
            self.palette(bits);
        } else {
            self.say("no palette");
        }
        screen
    }

    fn palette(&mut self, bits: u8) {
        for _ in 0..3 << bits {
            let value = self.random.between(0, 255) as u8;
            self.bytes.push(value);
        }
    }

    /// Extensions of any label, in blocks of any length, and bytes that are nothing.
    fn notes(&mut self) {
        while self.random.chance(30) {
            let label = self.random.between(0, 255) as u8;
            // What a control extension says is written elsewhere.
            let label = if label == 0xF9 { 0xFE } else { label };
            self.say(format!("extension {label:02X}"));
            self.bytes.extend([b'!', label]);
            // Pillow looks for the end of an extension without content behind it.
            for _ in 0..self.random.between(1, 4) {
                let length = self.random.pick(&[1, 2, 3, 4, 11, 254, 255]);
                self.bytes.push(length);
                self.bytes.extend((0..length).map(|at| at.wrapping_mul(37) ^ label));
            }
            self.bytes.push(0);
        }
        if self.random.chance(5) {
            self.say("bytes between blocks");
            let count = self.random.between(1, 3);
            self.bytes.extend(vec![self.random.pick(&[0, 1, 0x7F, 0xFF]); count]);
        }
    }

    fn frame(&mut self, screen: (usize, usize)) {
        let transparent = self.control();
        let length = |random: &mut Random, side: usize| match random.between(0, 2) {
            0 => side.max(1),
            1 => random.between(1, 24),
            _ => random.between(1, 4),
        };
        let size = (length(&mut self.random, screen.0), length(&mut self.random, screen.1));
        let offset = |random: &mut Random| if random.chance(50) { 0 } else { random.between(0, 16) };
        let at = (offset(&mut self.random), offset(&mut self.random));
        let interlaced = self.random.chance(30);
        let local = self.random.chance(40).then(|| self.random.pick(&COLORS));
        let bits = self.random.pick(&[2, 4]);
        self.bytes.push(b',');
        [at.0, at.1, size.0, size.1].into_iter().for_each(|number| self.number(number));
        let flags = local.map_or(0, |bits| 0x80 | (bits - 1));
        self.bytes.push(flags | (u8::from(interlaced) << 6));
        if let Some(bits) = local {
            self.palette(bits);
        }
        self.say(format!(
            "frame {}×{} at {},{}{}{}{}",
            size.0,
            size.1,
            at.0,
            at.1,
            if interlaced { " interlaced" } else { "" },
            local.map_or(String::new(), |bits| format!(" {bits} bits of its own")),
            transparent.map_or(String::new(), |index| format!(" transparent {index}")),
        ));
        self.indices(size.0 * size.1, bits);
    }

    /// A control extension, or none; gives the transparent index.
    fn control(&mut self) -> Option<u8> {
        if self.random.chance(30) {
            return None;
        }
        let (disposal, transparent) = (self.random.between(0, 7) as u8, self.random.chance(60));
        let index = self.random.between(0, 3) as u8;
        self.say(format!("disposal {disposal}"));
        let longer = self.random.chance(10);
        self.bytes.extend([b'!', 0xF9, if longer { 6 } else { 4 }]);
        self.bytes.extend([(disposal << 2) | u8::from(transparent), 0, 0, index]);
        self.bytes.extend(if longer { &[7, 7][..] } else { &[] });
        self.bytes.push(0);
        transparent.then_some(index)
    }

    /// Writes pixels in blocks of any length.
    fn indices(&mut self, count: usize, bits: u8) {
        let run = self.random.between(1, 9);
        let of = |at: usize| ((at / run) * 7 + at / 5) as u8 & ((1 << bits) - 1);
        let indices: Vec<u8> = (0..count).map(of).collect();
        let codes = weezl::encode::Encoder::new(weezl::BitOrder::Lsb, bits).encode(&indices);
        self.bytes.push(bits);
        let most = self.random.pick(&[1, 7, 254, 255]);
        for block in codes.expect("indices have as many bits as they may").chunks(most) {
            self.bytes.push(block.len() as u8);
            self.bytes.extend(block);
        }
        self.bytes.push(0);
    }

    /// Ends the file, or cuts it; `last` is where the last frame ends. Gives what kind of file it is now.
    fn end(&mut self, random: &mut Random, last: usize) -> &'static str {
        match random.between(0, 9) {
            0..=1 => "without an end",
            2 => {
                self.bytes.truncate(last.saturating_sub(1));
                "without the end of its last frame"
            }
            3 => {
                let end = random.between(13, self.bytes.len());
                self.bytes.truncate(end);
                self.say(format!("cut at {end}"));
                "cut"
            }
            4 => {
                self.bytes.extend(b";, and what is behind it!");
                "with bytes behind its end"
            }
            _ => {
                self.bytes.push(b';');
                "whole"
            }
        }
    }
}
