//! A layout in words.

use crate::jpeg::layout::{Colour, Component, Layout, Process, Scan};

impl Layout {
    /// All features in one line.
    pub fn describe(&self) -> String {
        let mut words = vec![
            format!("{}x{}", self.width, self.height),
            format!("c{}", self.components.len()),
            format!(
                "h={}",
                joined(&self.components, |component| format!("{}x{}", component.across, component.down))
            ),
            format!("{:?}", self.process).to_lowercase(),
            format!("colour={:?}", self.colour()).to_lowercase(),
            format!(
                "{}{}",
                if self.jfif { "jfif" } else { "nojfif" },
                match self.adobe {
                    Some(transform) => format!("+adobe{transform}"),
                    None => String::new(),
                }
            ),
            format!("ids={}", joined(&self.components, |component| component.id.to_string())),
            format!("q={}", joined(&self.components, |component| self.quantisation(component))),
            format!("dqt={:?}", self.quantisation_place).to_lowercase(),
            format!("huffman={:?}", self.huffman).to_lowercase(),
            format!("content={:?}", self.content).to_lowercase(),
            format!("padding={:?}", self.padding).to_lowercase(),
        ];
        if self.process == Process::Progressive {
            words.push(format!("runs<={}", self.run_limit));
        }
        let flags = [
            (self.late_hints, "latehints"),
            (self.early_huffman, "earlydht"),
            (self.split_segments, "split"),
            (self.spare_tables, "spare"),
            (self.repeated_tables, "repeated"),
            (self.shuffled_segments, "shuffled"),
            (self.comments, "comments"),
            (self.fill, "fill"),
            (self.fill_restarts, "fillrst"),
        ];
        words.extend(flags.into_iter().filter(|flag| flag.0).map(|flag| flag.1.to_owned()));
        if self.trailing > 0 {
            words.push(format!("trailing={}", self.trailing));
        }
        let scans: Vec<String> = self.scans.iter().map(|scan| self.scan(scan)).collect();
        words.push(format!("scans=[{}]", scans.join(" ")));
        words.join(" ")
    }

    /// The class of layouts that this one is of.
    pub fn kind(&self) -> String {
        if self.plain {
            return format!("plain, {}", self.oddest());
        }
        let process = format!("{:?}", self.process).to_lowercase();
        format!("{process}, {}", self.oddest())
    }

    fn oddest(&self) -> &'static str {
        let (across, down) = self.most();
        let first = &self.components[0];
        let whole = |component: &Component| across % component.across == 0 && down % component.down == 0;
        let uneven = |component: &Component| component.across != first.across || component.down != first.down;
        let precision = self.precision();
        let missing = |from: usize, to: usize| {
            precision.iter().any(|known| known[from..to].iter().any(|bit| *bit != Some(0)))
        };
        match self.colour() {
            _ if !self.components.iter().all(whole) => "sampling ratios that are not whole",
            // libjpeg guesses the coefficients of the lowest nine places from the blocks around where bits lack.
            _ if missing(1, 10) => "low bands imprecise",
            _ if missing(0, 64) => "imprecise",
            Colour::Cmyk => "cmyk",
            Colour::Ycck => "ycck",
            Colour::Rgb => "rgb",
            Colour::Grey if across * down > 1 => "grey with factors",
            Colour::Grey => "grey",
            Colour::Ycc if first.across < across || first.down < down => "chroma finer than luma",
            Colour::Ycc
                if self.components[1..].iter().any(|component| component.across * component.down > 1) =>
            {
                "factors of chroma"
            }
            Colour::Ycc if self.process != Process::Progressive && self.scans.len() == 3 => {
                "one scan a component"
            }
            Colour::Ycc if self.process != Process::Progressive && self.scans.len() == 2 => "two scans",
            Colour::Ycc if self.components.iter().any(uneven) => "coarse chroma",
            Colour::Ycc => "4:4:4",
        }
    }

    fn quantisation(&self, component: &Component) -> String {
        let table = &self.quantisations[component.quantisation];
        let width = if table.wide { "w" } else { "" };
        format!("{}{width}({}-{})", table.slot, table.values[0], table.values[63])
    }

    fn scan(&self, scan: &Scan) -> String {
        let mut text = scan.components.iter().map(usize::to_string).collect::<Vec<_>>().join("+");
        if self.process == Process::Progressive {
            text += &format!(":{}-{}/{}>{}", scan.first, scan.last, scan.high, scan.low);
        }
        let tables: Vec<String> = scan.tables.iter().map(|(dc, ac)| format!("{dc}{ac}")).collect();
        text += &format!("t{}", tables.join("."));
        if scan.restart > 0 {
            text += &format!("r{}", scan.restart);
        }
        text
    }
}

fn joined(components: &[Component], word: impl Fn(&Component) -> String) -> String {
    components.iter().map(word).collect::<Vec<_>>().join(",")
}
