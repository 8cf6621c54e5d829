//! Sends documents as one HTTP body while the next are serialised, to a server on this machine.
//!
//! ```text
//! cargo run --release --example push
//! cargo run --release --example push -- --docs 200 --rate 20 --json
//! ```
//! The server takes `--rate` MiB a second, as a network would; by default as many as are made, so that sending takes
//! as long as serialising, and overlap can gain most: the two in turn take twice the time of the two at once.

#[path = "../common/terminal.rs"]
mod terminal;

use std::io::{self, Read};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gapless::doc::{Compression, Doc, DocArray, Wire};
use serde_json::json;
use terminal::{Problem as Failed, complain, print};
use ureq::SendBody;

const HELP: &str = "push [--docs N] [--rate MIB_A_SECOND] [--json]

--docs  documents; default 256
--rate  what the server takes; default as much as is made
--json  one object on stdout and nothing else";

struct Options {
    docs: usize,
    /// Bytes a second.
    rate: Option<f64>,
    json: bool,
}

fn main() -> ExitCode {
    terminal::exit("push", options().and_then(|options| options.map_or(Ok(()), |options| run(&options))))
}

/// `None` where only the help was asked for.
fn options() -> Result<Option<Options>, Failed> {
    use lexopt::prelude::{Long, Short, ValueExt};
    let mut options = Options { docs: 256, rate: None, json: false };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("docs") => options.docs = parser.value()?.parse()?,
            Long("rate") => options.rate = Some(parser.value()?.parse::<f64>()? * f64::from(1 << 20)),
            Long("json") => options.json = true,
            Short('h') | Long("help") => {
                print(HELP)?;
                return Ok(None);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Failed> {
    let wire = Wire::new(Compression::Gzip);
    let docs = documents(options.docs)?;

    let (body, serialise_s) = timed(|| read_all(wire.stream(docs.clone())))?;
    let rate = options.rate.unwrap_or(body.len() as f64 / serialise_s);
    let server = Server::start(rate)?;
    let ((), send_s) = timed(|| server.push(body.as_slice()))?;
    let (sequential, in_turn) = (docs.clone(), docs.clone());
    let ((), sequential_s) = timed(|| server.push(read_all(wire.stream(sequential))?.as_slice()))?;
    let ((), overlapped_s) = timed(|| server.push(wire.stream(in_turn)))?;
    if server.stop()? != [body.len() as u64; 3] {
        return Err("the server was sent other bytes".into());
    }

    let slower = serialise_s.max(send_s);
    if options.json {
        let figures = json!({
            "serialise_s": serialise_s, "send_s": send_s, "sequential_s": sequential_s, "overlapped_s": overlapped_s
        });
        return Ok(print(&figures.to_string())?);
    }
    print(&format!(
        "{} documents, {:.1} MiB, at {:.1} MiB/s",
        docs.len(),
        mib(body.len() as f64),
        mib(rate)
    ))?;
    for (way, seconds) in
        [("serialise", serialise_s), ("send", send_s), ("one after the other", sequential_s)]
    {
        print(&format!("  {way:<20}  {seconds:7.3} s"))?;
    }
    let more = 100.0 * (overlapped_s / slower - 1.0);
    Ok(print(&format!(
        "  at once               {overlapped_s:7.3} s, {more:+.1} % of the slower of the two"
    ))?)
}

fn mib(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

/// Documents with a photo's pixels each, so that there is something to compress.
fn documents(count: usize) -> Result<DocArray, Failed> {
    let mut photo = Doc::from_uri("photos/coffee.jpg");
    photo.load_image().map_err(|cause| cause.to_string())?;
    let copy = |number: usize| {
        let mut doc = Doc::from_uri(format!("coffee-{number}.jpg"));
        doc.content = photo.content.clone();
        doc
    };
    Ok((0..count).map(copy).collect())
}

fn timed<T>(work: impl FnOnce() -> Result<T, Failed>) -> Result<(T, f64), Failed> {
    let start = Instant::now();
    let done = work()?;
    Ok((done, start.elapsed().as_secs_f64()))
}

fn read_all(mut body: impl Read) -> Result<Vec<u8>, Failed> {
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A server that reads bodies at the pace of a network.
struct Server {
    address: String,
    server: Arc<tiny_http::Server>,
    bodies: Arc<Mutex<Vec<u64>>>,
    thread: JoinHandle<()>,
}

impl Server {
    fn start(rate: f64) -> Result<Self, Failed> {
        let server = Arc::new(tiny_http::Server::http("127.0.0.1:0").map_err(|error| error.to_string())?);
        let address = format!("http://{}/", server.server_addr().to_ip().ok_or("no address")?);
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let (requests, lengths) = (server.clone(), bodies.clone());
        let thread = thread::spawn(move || {
            for mut request in requests.incoming_requests() {
                let length = drain(request.as_reader(), rate).unwrap_or_default();
                lengths.lock().expect("nobody panics with it").push(length);
                if let Err(error) = request.respond(tiny_http::Response::from_string("taken")) {
                    complain(&format!("the answer was not taken: {error}"));
                }
            }
        });
        Ok(Self { address, server, bodies, thread })
    }

    /// Sends one body, in chunks, and waits for the answer.
    fn push(&self, mut body: impl Read) -> Result<(), Failed> {
        let response = ureq::post(&self.address).send(SendBody::from_reader(&mut body))?;
        if response.status() == 200 { Ok(()) } else { Err(format!("{}", response.status()).into()) }
    }

    /// Lengths of the bodies that came.
    fn stop(self) -> Result<Vec<u64>, Failed> {
        self.server.unblock();
        self.thread.join().map_err(|_| "the server panicked")?;
        Ok(std::mem::take(&mut *self.bodies.lock().map_err(|_| "the server panicked")?))
    }
}

/// Reads a body, never faster than so many bytes a second.
#[expect(clippy::disallowed_methods, reason = "the line to the server is slow: a synthetic cost")]
fn drain(body: &mut dyn Read, rate: f64) -> io::Result<u64> {
    let (start, mut length, mut piece) = (Instant::now(), 0_u64, vec![0; 64 << 10]);
    loop {
        let count = body.read(&mut piece)? as u64;
        if count == 0 {
            return Ok(length);
        }
        length += count;
        let due = start + Duration::from_secs_f64(length as f64 / rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}
