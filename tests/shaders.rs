//! Every shader is valid, and says what its kernel says. That it translates to other languages is tested in `tests/languages`.

#[path = "common/shaders.rs"]
mod read;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use gapless::kernel::examples;
use gapless::kernel::{Dispatch, Needs, Precision};
use naga::proc::Layouter;
use naga::valid::{ValidationFlags, Validator};
use naga::{AddressSpace, Block, Expression, Module, Statement, StorageAccess, TypeInner};
use read::{capabilities, chains, dispatches, for_every_chain, for_every_joined, for_every_shader};

fn shaders(folder: &str) -> BTreeSet<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("shaders").join(folder);
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    names
        .filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect()
}

fn text(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("shaders").join(format!("{name}.wgsl"));
    fs::read_to_string(path).unwrap()
}

#[test]
fn every_shader_is_valid_and_its_entry_point_is_main() {
    for_every_shader(|_, dispatch, module, _| {
        let names: Vec<_> = module.entry_points.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names, ["main"], "{}", dispatch.kernel);
    });
}

#[test]
fn every_shader_is_valid_with_whatever_follows_in_the_same_pass() {
    for_every_chain(|example, dispatch, module, _| {
        let bound = module.global_variables.iter().filter(|(_, variable)| variable.binding.is_some()).count();
        assert!(bound > example.inputs.len() + 2, "{} reads nothing for what follows", dispatch.kernel);
    });
}

#[test]
fn a_shader_needs_what_it_says_and_no_less() {
    for_every_shader(|_, dispatch, module, _| {
        let Needs { subgroups, precision, workgroup_bytes, .. } = dispatch.needs;
        let less = [
            Needs { subgroups: false, ..dispatch.needs },
            Needs { precision: Precision::Full, ..dispatch.needs },
        ];
        let is = [subgroups, precision > Precision::Full];
        for needs in less.into_iter().zip(is).filter_map(|(less, is)| is.then_some(less)) {
            let valid = Validator::new(ValidationFlags::all(), capabilities(needs)).validate(module);
            assert!(valid.is_err(), "{} is valid without", dispatch.variant());
        }
        let mut layouter = Layouter::default();
        layouter.update(module.to_ctx()).unwrap();
        let shared = module.global_variables.iter().filter(|(_, one)| one.space == AddressSpace::WorkGroup);
        let bytes: u32 = shared.map(|(_, one)| layouter[one.ty].size).sum();
        assert_eq!(bytes, workgroup_bytes, "{}", dispatch.variant());
    });
}

#[test]
fn a_shader_says_how_often_it_loops_where_it_loops() {
    for_every_shader(|_, dispatch, module, _| {
        let entry = &module.entry_points[0].function;
        let mut called = BTreeSet::new();
        let loops = loops(module, &entry.body, &mut called);
        assert_eq!(dispatch.needs.rounds > 0, loops, "{} says {}", dispatch.variant(), dispatch.needs.rounds);
    });
}

/// Whether the statements, or those of functions that they call, have a loop.
fn loops(module: &Module, block: &Block, called: &mut BTreeSet<usize>) -> bool {
    block.iter().any(|statement| match statement {
        Statement::Loop { .. } => true,
        Statement::Block(block) => loops(module, block, called),
        Statement::If { accept, reject, .. } => {
            loops(module, accept, called) || loops(module, reject, called)
        }
        Statement::Switch { cases, .. } => cases.iter().any(|case| loops(module, &case.body, called)),
        Statement::Call { function, .. } => {
            called.insert(function.index()) && loops(module, &module.functions[*function].body, called)
        }
        _ => false,
    })
}

/// A driver may keep in memory, and far away, what an invocation reaches by a number that it computes.
#[test]
fn no_shader_reaches_its_own_values_by_a_number_that_is_computed() {
    let check = |dispatch: &Dispatch, module: &Module| {
        let functions = module.functions.iter().map(|(_, function)| function);
        for function in functions.chain(module.entry_points.iter().map(|entry| &entry.function)) {
            let expressions = &function.expressions;
            for (_, expression) in expressions.iter() {
                let Expression::Access { base, .. } = expression else { continue };
                let mut root = *base;
                while let Expression::Access { base, .. } | Expression::AccessIndex { base, .. } =
                    expressions[root]
                {
                    root = base;
                }
                let shared = match expressions[root] {
                    Expression::GlobalVariable(variable) => {
                        module.global_variables[variable].space != AddressSpace::Private
                    }
                    _ => false,
                };
                assert!(shared, "{}: {:?}", dispatch.variant(), function.name);
            }
        }
    };
    for_every_shader(|_, dispatch, module, _| check(dispatch, module));
    for_every_chain(|_, dispatch, module, _| check(dispatch, module));
    for_every_joined(|dispatch, module, _| check(dispatch, module));
}

#[test]
fn no_two_variants_of_a_kernel_have_the_same_name() {
    for example in examples::all() {
        let dispatches = dispatches(&example);
        let names: BTreeSet<_> = dispatches.iter().map(Dispatch::variant).collect();
        assert_eq!(names.len(), dispatches.len(), "{names:?}");
        let Needs { workgroup_bytes, rounds, .. } = dispatches[0].needs;
        assert_eq!(dispatches[0].needs, Needs { workgroup_bytes, rounds, ..Needs::default() });
    }
}

#[test]
fn the_parameters_lie_where_the_shader_reads_them() {
    for_every_shader(|example, dispatch, module, _| {
        let (_, uniform) = module
            .global_variables
            .iter()
            .find(|(_, variable)| variable.space == AddressSpace::Uniform)
            .unwrap();
        let TypeInner::Struct { members, span } = &module.types[uniform.ty].inner else {
            panic!("{}: the parameters are no struct", dispatch.kernel)
        };
        let wgsl: Vec<_> =
            members.iter().map(|member| (member.name.as_deref().unwrap(), member.offset as usize)).collect();
        let rust: Vec<_> =
            example.layout.fields.iter().copied().filter(|(name, _)| *name != "unused").collect();
        assert_eq!(wgsl, rust, "{} in {}", example.layout.name, dispatch.kernel);
        assert_eq!(*span as usize, example.layout.size, "{} in {}", example.layout.name, dispatch.kernel);
        assert_eq!(dispatch.params.len(), example.layout.size, "{}", dispatch.kernel);
    });
}

#[test]
fn the_bindings_are_parameters_then_inputs_then_the_output() {
    for_every_shader(|example, dispatch, module, _| {
        let read = AddressSpace::Storage { access: StorageAccess::LOAD };
        let written = AddressSpace::Storage { access: StorageAccess::LOAD | StorageAccess::STORE };
        let mut wanted = vec![AddressSpace::Uniform];
        wanted.extend(example.inputs.iter().map(|_| read));
        wanted.push(written);
        let mut bound: Vec<_> = module
            .global_variables
            .iter()
            .filter_map(|(_, variable)| Some((variable.binding?, variable.space)))
            .collect();
        bound.sort_by_key(|(binding, _)| binding.binding);
        assert!(bound.iter().all(|(binding, _)| binding.group == 0), "{}", dispatch.kernel);
        let numbers: Vec<_> = bound.iter().map(|(binding, _)| binding.binding as usize).collect();
        assert_eq!(numbers, (0..wanted.len()).collect::<Vec<_>>(), "{}", dispatch.kernel);
        let spaces: Vec<_> = bound.into_iter().map(|(_, space)| space).collect();
        assert_eq!(spaces, wanted, "{}", dispatch.kernel);
    });
}

#[test]
fn the_files_are_the_kernels_shaders_and_no_others() {
    let all = examples::all();
    let dispatches: Vec<_> = all.iter().flat_map(dispatches).chain(all.iter().flat_map(chains)).collect();
    let used: BTreeSet<String> =
        dispatches.iter().map(|dispatch| dispatch.kernel.clone().into_owned()).collect();
    assert_eq!(used, shaders(""));
    for dispatch in &dispatches {
        let source = dispatch.source.strip_prefix("enable f16;\n").unwrap_or(&dispatch.source);
        assert!(source.starts_with(&text(&dispatch.kernel)), "{}", dispatch.kernel);
    }
    for shared in shaders("shared") {
        let source = text(&format!("shared/{shared}"));
        assert!(dispatches.iter().any(|dispatch| dispatch.source.contains(&source)), "{shared} is not used");
    }
}

#[test]
fn every_kernel_is_in_the_list_of_examples() {
    let listed: BTreeSet<String> =
        examples::all().iter().map(|example| example.kernel.name().to_owned()).collect();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/kernel");
    let implements =
        |path: &PathBuf| path.is_file() && fs::read_to_string(path).unwrap().contains(" Kernel for ");
    // `wgsl` runs the text of users and has none of its own.
    let has_shader = |name: &String| name != "wgsl";
    let files: BTreeSet<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(implements)
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(has_shader)
        .collect();
    assert_eq!(listed, files);
}

#[test]
fn every_shader_has_the_header_of_five_lines() {
    for name in shaders("") {
        let text = text(&name);
        let starts = [
            &format!("// {name}: "),
            "//",
            "// CPU twin   src/",
            "// Params     src/",
            "// In / Out   ",
            "// Dispatch   ",
        ];
        for (line, start) in text.lines().zip(starts) {
            assert!(line.starts_with(start), "{name}: {line}");
        }
    }
}
