//! Bits in the bytes of a scan.

/// Writes bits, the highest first, with a zero behind each FF.
#[derive(Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl BitWriter {
    /// Writes the lowest `count` bits of `value`, at most 16.
    pub(crate) fn push(&mut self, value: u32, count: u32) {
        self.held = self.held << count | value & ((1 << count) - 1);
        self.count += count;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.held >> self.count) as u8;
            self.bytes.push(byte);
            if byte == 0xFF {
                self.bytes.push(0);
            }
        }
    }

    /// Fills the last byte with ones and gives what has been written.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let missing = (8 - self.count) % 8;
        self.push((1 << missing) - 1, missing);
        std::mem::take(&mut self.bytes)
    }
}
