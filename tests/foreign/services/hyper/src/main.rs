// hyper-service PORT: a server on hyper and tokio; a line with the status of each answer.
use hyper::service::{make_service_fn, service_fn};
use hyper::{Body, Request, Response, Server};
use std::convert::Infallible;
use std::time::Duration;

async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path().to_string();
    let _ = hyper::body::to_bytes(request.into_body()).await;
    let status = match path.as_str() {
        "/absent" => 404,
        "/fail" => 500,
        _ => 200,
    };
    if path == "/slow" {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let body = "x".repeat(if path == "/large" { 300_000 } else { 5 });
    println!("status {}", status);
    Ok(Response::builder().status(status).body(Body::from(body)).unwrap())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let services = make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(answer)) });
    Server::bind(&([127, 0, 0, 1], port).into()).serve(services).await.unwrap();
}
