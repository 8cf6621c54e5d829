//! Parameters of shaders, and the source that they belong to.

/// Where the fields of a parameter struct lie, for the test that compares them with the WGSL struct.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Name of the Rust struct.
    pub name: &'static str,
    /// Name and offset of every field, in order.
    pub fields: &'static [(&'static str, usize)],
    /// Bytes in all.
    pub size: usize,
}

/// Declares a parameter struct once, as plain data with a known layout.
macro_rules! params {
    ($(#[$meta:meta])* struct $name:ident { $($field:ident: $type:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        pub(super) struct $name { $($field: $type,)* }

        impl $name {
            pub(super) const LAYOUT: $crate::kernel::params::Layout = $crate::kernel::params::Layout {
                name: stringify!($name),
                fields: &[$((stringify!($field), std::mem::offset_of!($name, $field)),)*],
                size: size_of::<$name>(),
            };
        }
    };
}

/// A file of `shaders/` with the files that it shares with others behind it.
macro_rules! wgsl {
    ($($file:literal),+) => {
        concat!($(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/shaders/", $file, ".wgsl"))),+)
    };
}

pub(super) use {params, wgsl};
