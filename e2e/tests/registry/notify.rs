//! What the registry tells of pushes.

use std::time::Duration;

use flux_e2e::registry::{Image, Notify, Options, Registry};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

#[tokio::test]
async fn a_push_is_told_to_whom_it_concerns() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let registry = Registry::start_with(&Options {
        notify: Some(Notify {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            authorization: Some("Bearer shared".to_owned()),
        }),
        ..Options::default()
    });
    let registry = registry.unwrap();
    let digest = registry
        .push("team/app", "1.0", &Image::new())
        .await
        .unwrap();
    let mut told = String::new();
    let listening = async {
        // One call for each event: the first may be of the configuration.
        while !told.contains("\"tag\":\"1.0\"") {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = vec![0; 16 << 10];
            while !told.contains("\"tag\":\"1.0\"") {
                let length = stream.read(&mut buffer).await.unwrap();
                if length == 0 {
                    break;
                }
                told.push_str(&String::from_utf8_lossy(&buffer[..length]).replace([' ', '\n'], ""));
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    .await
                    .unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), listening)
        .await
        .unwrap();
    assert!(told.contains("Authorization:Bearershared"), "{told}");
    assert!(
        told.contains("\"repository\":\"team/app\"") && told.contains(&digest),
        "{told}"
    );
}
