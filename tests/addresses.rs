//! One photo under every address that it has: documents and stages read the same.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gapless::doc::{Content, Doc};
use gapless::image::{Loader, Photo};
use gapless::{CpuStage, OnFailure, Pipeline};

/// A photo, in a folder whose name has to be encoded.
struct File(PathBuf);

impl File {
    fn new(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("gapless addresses%41#ü?{test}{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::copy("tests/fixtures/image/exif-6.jpg", folder.join("a b.jpg")).expect("a photo");
        Self(folder.join("a b.jpg"))
    }

    fn text(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().expect("a folder"));
    }
}

/// Every byte, or those that have to be, as `%` and two digits.
fn percent(path: &str, all: bool) -> String {
    let plain = |byte: u8| byte == b'/' || (!all && (byte.is_ascii_alphanumeric() || b"-._".contains(&byte)));
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// All that one photo is called.
fn addresses(file: &File) -> Vec<String> {
    let mut addresses = vec![file.text().to_owned()];
    for scheme in ["file", "FILE", "File"] {
        for host in ["//", "//localhost", "//LOCALHOST", ""] {
            for all in [false, true] {
                addresses.push(format!("{scheme}:{host}{}", percent(file.text(), all)));
            }
        }
    }
    let base64 = STANDARD.encode(fs::read(&file.0).expect("a photo"));
    let wrapped = base64.as_bytes().chunks(76).map(String::from_utf8_lossy).collect::<Vec<_>>();
    let percent = percent(&base64, true);
    for data in [&base64, base64.trim_end_matches('='), &wrapped.join("\r\n"), &wrapped.join(" \t"), &percent]
    {
        for scheme in ["data", "DATA", "Data"] {
            addresses.push(format!("{scheme}:image/jpeg;base64,{data}"));
            addresses.push(format!("{scheme}:;name=x;BASE64,{data}"));
        }
    }
    addresses
}

#[test]
fn a_document_and_a_stage_read_the_same_photo_at_every_address_that_it_has() {
    let file = File::new("same");
    let loader = Loader::own_size();
    let photo = loader.load(&file.0).expect("a photo");
    let content = Content::Tensor(photo.clone().into());
    for address in addresses(&file) {
        let doc = || Doc::from_uri(&*address);
        let short = &address[..address.len().min(60)];
        assert_eq!(loader.prepare(&mut doc()).expect(short), photo, "{short}");
        assert_eq!(loader.prepare(&mut address.clone()).expect(short), photo, "{short}");
        assert_eq!(loader.frames(&*address).expect(short)[..], [&photo], "{short}");
        assert_eq!(doc().load_image().expect(short).content, content, "{short}");
        assert_eq!(doc().load_blob().expect(short).decode_image().expect(short).content, content, "{short}");
        assert!(
            doc().uri_to_data_uri().expect(short).uri.to_ascii_lowercase().starts_with("data:"),
            "{short}"
        );
    }
}

#[test]
fn a_path_that_is_no_text_is_no_address() {
    let odd = std::env::temp_dir().join(format!("file:%41{}.jpg", std::process::id()));
    fs::copy("tests/fixtures/image/exif-6.jpg", &odd).expect("a photo");
    let loader = Loader::own_size();
    let relative = odd.file_name().map(Path::new).expect("a name");
    assert!(loader.prepare(&mut odd.clone()).is_ok());
    assert!(
        loader
            .prepare(&mut relative.to_owned())
            .expect_err("another folder")
            .to_string()
            .contains("file:%41")
    );
    fs::remove_file(odd).expect("a file");
}

#[test]
fn an_address_that_is_larger_than_a_file_may_be_is_refused() {
    let file = File::new("larger");
    let loader = Loader::own_size().max_file(100);
    for address in addresses(&file) {
        let mut address = address;
        let cause = loader.prepare(&mut address).expect_err("it is larger").to_string();
        assert!(cause.contains("more than the limit of 100 a file: see `max_file`"), "{cause}");
        let named = address.split_inclusive(',').next().expect("a part");
        assert!(cause.starts_with(named), "{cause}");
    }
}

#[test]
fn the_media_type_is_that_of_the_name_that_an_address_has() {
    for address in
        ["a.JPG", "file:///a%2EjpG", "FILE:a.jp%67", "https://a/b.jpg?c=d.png#e", "data:image/jpeg,"]
    {
        assert_eq!(Doc::from_uri(address).mime_type, "image/jpeg", "{address}");
    }
    assert_eq!(Doc::from_uri("a.jpg?b").mime_type, "", "a path is taken as it stands");
}

fn shape(photo: impl Photo + Send + 'static) -> String {
    let gpu = |batch: &[ndarray::Array3<u8>]| batch.iter().map(|photo| photo.dim().0).collect::<Vec<_>>();
    let mut run = Pipeline::new(Loader::own_size(), gpu).on_failure(OnFailure::Skip).run([photo]);
    let batch = run.next().expect("a batch").expect("no error");
    let failures = batch.failures().iter().map(|failure| failure.cause.to_string());
    failures.chain(batch.rows().map(|(_, height)| height.to_string())).collect()
}

#[test]
fn a_pipeline_takes_documents_at_addresses_and_says_which_failed() {
    let file = File::new("pipeline");
    let height = Loader::own_size().load(&file.0).expect("a photo").dim().0.to_string();
    assert!(addresses(&file).into_iter().all(|address| shape(address) == height));
    assert_eq!(shape(Doc::from_uri(format!("file://{}", percent(file.text(), true)))), height);
    assert_eq!(shape(Doc::new()), "the document names no photo");
    assert!(shape("data:image/png;base64,AAAA".to_owned()).starts_with("data:image/png;base64,…: no photo"));
}
