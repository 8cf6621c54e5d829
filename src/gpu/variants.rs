//! Which variants of kernels a program runs, as data.

use std::fmt;
use std::str::FromStr;

use super::graph::setting;
use super::plan::{Plan, Step, Variant};
use crate::error::{Error, OneLine};

/// Which variant each kernel of a program is done with on a device: [`Program::variants`](super::Program::variants)
/// gives it, and [`Program::pin`](super::Program::pin) takes it.
///
/// Its text, a line for the device and one a kernel, can be kept in a file and read again:
///
/// ```
/// use gapless::gpu::Variants;
/// use gapless::kernel::{Softmax, Spec};
/// use gapless::{Gpu, Program};
/// # let mut net = Program::new(&Gpu::best()?);
/// # let x = net.input("x", Spec::floats(&[1000]))?;
/// # let y = net.add(Softmax::new(), &[x])?;
/// # net.output("y", y)?;
/// let text = net.variants(16)?.to_string();
/// let kept: Variants = text.parse()?;
/// let net = net.pin(&kept)?; // now, or in another process
/// assert_eq!(net.variants(1)?, kept);
/// # Ok::<(), gapless::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variants {
    /// Name and driver.
    device: String,
    /// One a kernel, in the order in which they run.
    kernels: Vec<Chosen>,
}

/// The variant of one kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chosen {
    kernel: String,
    variant: String,
    /// A number for all of it: shader, constants, parameters.
    key: u64,
}

impl Variants {
    /// Those of a plan for a device of which this is known.
    pub(super) fn of(device: &impl fmt::Display, plan: &Plan) -> Self {
        let chosen = |step: &Step| Chosen {
            kernel: OneLine(&step.name).to_string(),
            variant: OneLine(&step.variant().name).to_string(),
            key: step.variant().key,
        };
        Self { device: device.to_string(), kernels: plan.steps.iter().map(chosen).collect() }
    }

    /// The name of each kernel, and of its variant, in the order in which they run.
    pub fn kernels(&self) -> impl Iterator<Item = (&str, &str)> {
        self.kernels.iter().map(|chosen| (&*chosen.kernel, &*chosen.variant))
    }

    /// Leaves a plan no other variants than these.
    pub(super) fn force(&self, device: &impl fmt::Display, plan: &mut Plan) -> Result<(), Error> {
        let device = device.to_string();
        if device != self.device {
            return Err(refused(format!("they were chosen on {}, and this is {device}", self.device)));
        }
        let is_here = |variant: &Variant| self.kernels.iter().any(|chosen| chosen.key == variant.key);
        for instead in plan.steps.iter_mut().filter_map(|step| step.instead.as_mut()) {
            instead.taken = instead.step.variants.iter().any(is_here);
        }
        plan.settle();
        if plan.steps.len() != self.kernels.len() {
            let [given, there] = [self.kernels.len(), plan.steps.len()];
            return Err(refused(format!("they are of {given} kernels, and the program has {there}")));
        }
        plan.steps.iter_mut().zip(&self.kernels).try_for_each(|(step, chosen)| chosen.force(step))
    }
}

impl Chosen {
    fn force(&self, step: &mut Step) -> Result<(), Error> {
        match step.variants.iter().position(|variant| variant.key == self.key) {
            Some(place) => {
                step.variants = vec![step.variants.swap_remove(place)];
                step.instead = None;
                Ok(())
            }
            None => Err(refused(format!(
                "the kernel {} has not the variant {} of {} that was chosen: the program, or gapless, is another",
                OneLine(&step.name),
                self.variant,
                self.kernel
            ))),
        }
    }
}

/// The device, then for each kernel its key, its variant and its name.
impl fmt::Display for Variants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.device)?;
        self.kernels
            .iter()
            .try_for_each(|Chosen { kernel, variant, key }| write!(f, "\n{key:016x} {variant} {kernel}"))
    }
}

impl FromStr for Variants {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut lines = text.lines();
        let device = lines.next().unwrap_or_default().to_owned();
        let chosen = |(number, line): (usize, &str)| {
            let what =
                || refused(format!("line {} is no key, variant and kernel: {}", number + 2, OneLine(line)));
            let mut words = line.splitn(3, ' ');
            let key = words.next().and_then(|word| u64::from_str_radix(word, 16).ok()).ok_or_else(what)?;
            let [variant, kernel] =
                [words.next(), words.next()].map(|word| word.map(str::to_owned).ok_or_else(what));
            Ok(Chosen { key, variant: variant?, kernel: kernel? })
        };
        Ok(Self { device, kernels: lines.enumerate().map(chosen).collect::<Result<_, _>>()? })
    }
}

fn refused(reason: String) -> Error {
    setting("Program::pin", reason)
}
