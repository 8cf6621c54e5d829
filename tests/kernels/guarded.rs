//! Builds that check themselves look at every place before it is used.

use gapless::kernel::{Access, Dispatch, Kernel, Needs, Spec, Unary, Values, ValuesMut};
use gapless::{Cause, Program};

use crate::check::{device_with_shaders, output};
use crate::numbers::Numbers;

/// A kernel that reads or writes so far from where it should.
#[derive(Debug)]
struct Off {
    read: u32,
    written: u32,
}

impl Kernel for Off {
    fn name(&self) -> &str {
        "off"
    }

    fn output(&self, inputs: &[&Spec]) -> Result<Spec, Cause> {
        Ok(inputs[0].clone())
    }

    fn dispatch(&self, _inputs: &[&Spec], output: &Spec) -> Dispatch {
        let (Self { read, written }, len) = (self, output.len());
        let source = format!(
            "@compute @workgroup_size(1)
            fn main(@builtin(workgroup_id) group: vec3<u32>) {{
                put(group.z * {len}u + group.x + {written}u, x(group.z * {len}u + group.x + {read}u) * 2.0);
            }}"
        );
        Dispatch {
            kernel: "off".into(),
            source: source.into(),
            access: Access::named(&["x"]),
            constants: Vec::new(),
            workgroups: [len as u32, 1],
            params: Vec::new(),
            needs: Needs::default(),
        }
    }

    fn twin(&self, _inputs: &[Values<'_>], _output: ValuesMut<'_>) {}
}

#[test]
fn an_invocation_that_uses_a_place_that_is_not_there_writes_no_number() {
    const {
        assert!(
            cfg!(debug_assertions),
            "tests are built with debug assertions, since these look for such places"
        )
    };
    let Some(gpu) = device_with_shaders() else { return };
    if std::env::var_os("GAPLESS_UNGUARDED").is_some() {
        return eprintln!("left out: GAPLESS_UNGUARDED is set");
    }
    let batch = Numbers::new(1).batch(1, &[5]);
    for (read, written, seen) in [(0, 0, 0), (3, 0, 3), (100, 0, 5), (0, 3, 1), (0, 100, 1)] {
        let mut net = Program::new(&gpu);
        let x = net.input("x", Spec::floats(&[5])).unwrap();
        // Behind a function of each value its buffer is as long as its tensor.
        let x = net.add(Unary::clip(-9.0, 9.0), &[x]).unwrap();
        let y = net.add(Off { read, written }, &[x]).unwrap();
        net.output("y", y).unwrap();
        let given = output(&mut net, &batch);
        let none = given.iter().filter(|value| value.is_nan()).count();
        assert!(none >= seen && (seen > 0) == (none > 0), "read at {read}, written at {written}: {given}");
    }
}
