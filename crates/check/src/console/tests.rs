//! The console of a lab that runs, over its socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;
use crate::dissect::{Form, Part};
use crate::lab::{Lab, LabConfig};
use crate::recording::SharedBook;
use crate::scenario::Scenario;
use crate::transcript::{Entry, Told};

struct Stage {
    address: SocketAddr,
    book: SharedBook,
    _console: Console,
}

async fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

async fn stage() -> Stage {
    let config = LabConfig::new(1, dayfly_testkit::test_key());
    let (tell, _) = mpsc::unbounded_channel();
    let lab = Arc::new(Lab::start(&config, Arc::new(listener().await), tell).unwrap());
    let book = SharedBook::default();
    let (scenario, public_key) = (Scenario::default(), config.key.public().to_pem().unwrap());
    let socket = listener().await;
    let address = socket.local_addr().unwrap();
    let parts = DeskParts { lab, book: book.clone(), scenario, public_key };
    Stage { address, book, _console: Console::start(socket, parts).unwrap() }
}

impl Stage {
    /// Status and the rest of the response: headers and body.
    async fn raw(&self, request: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        let read = stream.read_to_string(&mut response);
        tokio::time::timeout(Duration::from_secs(60), read).await.expect("an answer").unwrap();
        let (head, rest) = response.split_once("\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), rest.to_owned())
    }

    async fn get(&self, path: &str) -> (u16, String) {
        self.raw(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address)).await
    }

    async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        let length = body.len();
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json", self.address);
        let (status, rest) = self.raw(&format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}")).await;
        (status, serde_json::from_str(rest.split_once("\r\n\r\n").unwrap().1).unwrap())
    }

    fn push(&self, told: Told) {
        let at = Duration::from_secs(1_790_000_000);
        self.book.open().push(Entry { number: 1, run: Some(7), unix: at, since_start: at, told });
    }

    /// A run with a message of a peer that would like to be markup.
    fn push_run(&self) {
        let mut payload = vec![0; 40];
        payload[16] = 20;
        payload[20..24].copy_from_slice(&0xbe7e_8ef1_u32.to_le_bytes());
        let parts = vec![Part::new(Form::Payload, payload)];
        let (direction, name) = (dayfly_core::observer::Direction::In, "req_pq_multi".to_owned());
        self.push(Told::Message { direction, name, fault: None, parts });
        let text = "<script>alert(1)</script>".to_owned();
        let (rule, field) = ("HS-14".to_owned(), "nonce".to_owned());
        self.push(Told::Refused { rule, field, text, detail: None });
    }
}

#[tokio::test]
async fn a_run_can_be_had_in_every_form() {
    let stage = stage().await;
    stage.push_run();
    let (status, runs) = stage.get("/runs").await;
    assert!(status == 200 && runs.contains(r#""run":7,"standing":"failed""#), "{runs}");
    let (status, run) = stage.get("/runs/7").await;
    assert!(status == 200 && run.contains(r#""name":"req_pq_multi""#), "{run}");
    let (status, markdown) = stage.get("/runs/7.md").await;
    assert!(status == 200 && markdown.contains("# Run 7") && markdown.contains("| 24 | 16 |"), "{markdown}");
    let (status, lines) = stage.get("/transcript").await;
    assert!(status == 200 && lines.contains(r#"{"number":1,"run":7,"#), "{lines}");
    for missing in ["/runs/8", "/runs/8.md", "/view/8", "/nothing"] {
        assert_eq!(stage.get(missing).await.0, 404, "{missing}");
    }
    assert_eq!(stage.get("/runs/x").await.0, 400);
}

#[tokio::test]
async fn the_page_shows_a_refusal_and_runs_no_script_of_a_peer() {
    let stage = stage().await;
    stage.push_run();
    let (status, page) = stage.get("/view/7").await;
    assert!(status == 200 && page.contains("Rule <code>HS-14</code>"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)") && !page.contains("<script>alert"), "{page}");
    assert!(page.contains("default-src 'self'"), "the policy goes with it");
    assert!(page.contains(r#"<span data-field="4">"#), "bytes know their field: {page}");
    let (status, list) = stage.get("/").await;
    assert!(status == 200 && list.contains(r#"<a href="/view/7">7</a>"#), "{list}");
    for asset in ["/lab.css", "/lab.js", "/icon.svg", "/server.pub.pem"] {
        assert_eq!(stage.get(asset).await.0, 200, "{asset}");
    }
}

#[tokio::test]
async fn the_clock_can_be_set_and_advanced() {
    let stage = stage().await;
    let (status, told) = stage.post("/time", r#"{"set": 1000000}"#).await;
    assert!(status == 200 && (1e6..1e6 + 600.0).contains(&told["unix"].as_f64().unwrap()), "{told}");
    let (status, told) = stage.post("/time", r#"{"advance": 86400.5}"#).await;
    assert!(status == 200 && told["unix"].as_f64().unwrap() >= 1_086_400.5, "{told}");
    let wrong =
        ["{}", "", r#"{"set": -1}"#, r#"{"advance": 1e12}"#, r#"{"set": 1, "advance": 1}"#, r#"{"sett": 1}"#];
    for body in wrong {
        let (status, told) = stage.post("/time", body).await;
        assert!(status == 400 && told["error"].is_string(), "{body}: {told}");
    }
}

#[tokio::test]
async fn a_scenario_replaces_the_one_before_and_a_reset_takes_it_back() {
    let stage = stage().await;
    stage.push_run();
    let scenario =
        r#"{"rule": [{"fault": "late"}], "answer": [{"method": "help.getConfig", "result": "b5757299"}]}"#;
    assert_eq!(stage.post("/scenario", scenario).await, (200, json!({"rules": 1, "answers": 1})));
    let (status, told) = stage.post("/scenario", r#"{"rule": [{"fault": "lat"}]}"#).await;
    assert!(status == 400 && told["error"].as_str().unwrap().contains("there is no fault \"lat\""), "{told}");
    assert_eq!(stage.post("/reset", "{}").await, (200, json!({"rules": 0, "answers": 0})));
    assert_eq!(stage.book.open().bytes(), 0);
}

#[tokio::test]
async fn who_is_foreign_changes_nothing() {
    let stage = stage().await;
    let request = |headers: &str| format!("POST /reset HTTP/1.1\r\n{headers}Content-Length: 2\r\n\r\n{{}}");
    let own = format!("Host: {}\r\n", stage.address);
    let json = "Content-Type: application/json\r\n";
    stage.push_run();
    assert_eq!(stage.raw(&request(&format!("Host: evil.example\r\n{json}"))).await.0, 421);
    assert_eq!(stage.raw(&request(&format!("{own}{json}Origin: http://evil.example\r\n"))).await.0, 403);
    assert_eq!(stage.raw(&request(&format!("{own}Content-Type: text/plain\r\n"))).await.0, 415);
    assert_eq!(
        stage.raw(&format!("GET /runs HTTP/1.1\r\n{own}Origin: http://evil.example\r\n\r\n")).await.0,
        403
    );
    assert_ne!(stage.book.open().bytes(), 0);
}
