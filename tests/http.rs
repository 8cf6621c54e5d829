//! Documents at addresses: fetched in the time they may take, or an error that names the address.

use std::time::Duration;

use gapless::CpuStage as _;
use gapless::doc::Doc;
use tiny_http::{Header, Response, Server};

/// A server on this machine that gives a photo at `/photo.jpg`, and where it is asked for anything else, nothing.
fn server() -> String {
    let server = Server::http("127.0.0.1:0").expect("a free port");
    let address = format!("http://{}", server.server_addr().to_ip().expect("an address"));
    std::thread::spawn(move || {
        let mut unanswered = Vec::new();
        for request in server.incoming_requests() {
            match request.url() {
                "/photo.jpg" => {
                    let photo = std::fs::read("photos/coffee.jpg").expect("a photo");
                    let header = Header::from_bytes("Content-Type", "image/jpeg").expect("a header");
                    request.respond(Response::from_data(photo).with_header(header)).expect("it is taken");
                }
                "/never" => unanswered.push(request),
                _ => request.respond(Response::from_string("no").with_status_code(404)).expect("it is taken"),
            }
        }
    });
    address
}

#[test]
fn a_photo_at_an_address_is_the_photo() {
    let mut fetched = Doc::from_uri(format!("{}/photo.jpg", server()));
    let mut read = Doc::from_uri("photos/coffee.jpg");
    assert_eq!(fetched.load_blob().expect("it is there").blob(), read.load_blob().expect("a file").blob());
    assert_eq!(
        fetched.load_image().expect("it is there").content,
        read.load_image().expect("a file").content
    );
}

#[test]
fn a_stage_reads_the_same_photo_at_an_address_in_any_case() {
    let address = format!("{}/photo.jpg", server()).replace("http:", "HtTp:");
    let loader = gapless::image::Loader::rgb8(8, 8);
    let photo = loader.load("photos/coffee.jpg").expect("a photo");
    assert_eq!(loader.prepare(&mut Doc::from_uri(&*address)).expect("it is there"), photo);
    assert_eq!(loader.prepare(&mut address.clone()).expect("it is there"), photo);
    let cause = loader.max_file(100).prepare(&mut address.clone()).expect_err("more than it may send");
    assert!(cause.to_string().starts_with(&address), "{cause}");
}

#[test]
fn what_is_not_there_or_takes_too_long_is_an_error_that_names_the_address() {
    let address = server();
    let said = |path: &str, timeout: Duration| {
        let uri = format!("{address}/{path}");
        let cause = Doc::from_uri(&uri).load_blob_within(timeout).expect_err("nothing comes");
        assert!(cause.to_string().starts_with(&uri), "{cause}");
        cause.to_string()
    };
    assert!(said("missing", Duration::from_secs(60)).contains("404"));
    said("never", Duration::from_millis(50));
}
