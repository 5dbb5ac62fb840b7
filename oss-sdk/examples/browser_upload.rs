//! A page whose visitors upload files straight to a bucket, without a key in the page.
//!
//! ```console
//! cargo run -p oss-sdk --example browser_upload
//! ```
//!
//! Without `OSS_*` variables it starts the emulator in this process, so it needs no account. With `OSS_REGION` (or
//! `OSS_ENDPOINT`), `OSS_ACCESS_KEY_ID` and `OSS_ACCESS_KEY_SECRET` it uses the real service, in a bucket that it creates
//! and, when Enter is pressed, deletes.
//!
//! Every visitor gets a form of their own: ten minutes, one directory, at most 1 MiB, texts and pictures only. The server
//! sees neither the files nor that they were sent.

#![expect(
    clippy::disallowed_methods,
    reason = "an application reads the clock; the SDK takes it from its settings"
)]

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oss_emulator::Emulator;
use oss_sdk::types::{CorsConfiguration, CorsMethod, CorsRule};
use oss_sdk::{
    Client, Credentials, DeleteBucketRequest, DeleteObjectRequest, ListObjectsV2Request, PostForm, PostPolicy,
    PutBucketCorsRequest, PutBucketRequest,
};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

type Problem = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Problem> {
    // Kept to the end: dropping it stops the server.
    let (client, _emulator) = connect().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let bucket = format!("browser-upload-{}", now.as_nanos());
    client.put_bucket(PutBucketRequest::new(&bucket)).await?;
    let served = serve(&client, &bucket, &listener, &origin).await;
    // Whatever happened in between, the bucket goes away again.
    let mut objects = client.list_objects_v2(ListObjectsV2Request::new(&bucket)).items();
    while let Some(object) = objects.try_next().await? {
        client
            .delete_object(DeleteObjectRequest::new(&bucket, &object.key))
            .await?;
    }
    client.delete_bucket(DeleteBucketRequest::new(&bucket)).await?;
    served
}

/// The real service when the environment names one, else the emulator.
async fn connect() -> Result<(Client, Option<Emulator>), Problem> {
    if std::env::vars_os().any(|(name, _)| name.to_string_lossy().starts_with("OSS_")) {
        return Ok((Client::from_env()?, None));
    }
    let emulator = Emulator::start().await?;
    println!("no OSS_* variables: using the emulator at {}", emulator.endpoint());
    let client = Client::builder()
        .region("cn-hangzhou")
        .endpoint(emulator.endpoint())
        .credentials(Credentials::new(emulator.access_key_id(), emulator.access_key_secret()))
        .build()?;
    Ok((client, Some(emulator)))
}

/// Serves the page until Enter is pressed, or the input ends.
async fn serve(client: &Client, bucket: &str, listener: &TcpListener, origin: &str) -> Result<(), Problem> {
    // The page is not of the bucket's origin, so its script may read answers only if the bucket says so.
    let rule = CorsRule::new([origin], [CorsMethod::Post]).allowed_headers(["*"]);
    let cors = PutBucketCorsRequest::new(bucket, CorsConfiguration::new([rule]));
    client.put_bucket_cors(cors).await?;
    println!("bucket {bucket}");
    println!("page on {origin}/ (press Enter to end)");
    let mut end = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    loop {
        tokio::select! {
            _ = &mut end => return Ok(()),
            accepted = listener.accept() => {
                let (client, bucket, stream) = (client.clone(), bucket.to_owned(), accepted?.0);
                // Browsers open connections that they may not use, so none waits for another, or for ever.
                tokio::spawn(async move {
                    let visitor = visit(&client, &bucket, stream);
                    if let Ok(Err(problem)) = tokio::time::timeout(Duration::from_secs(5), visitor).await {
                        eprintln!("a visitor left: {problem}");
                    }
                });
            }
        }
    }
}

async fn visit(client: &Client, bucket: &str, stream: TcpStream) -> Result<(), Problem> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let is_page = line.starts_with("GET / ");
    while line.trim() != "" {
        line.clear();
        stream.read_line(&mut line).await?;
    }
    let (status, page) = match is_page {
        true => ("200 OK", page(&form(client, bucket).await?)?),
        false => ("404 Not Found", String::new()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await?;
    Ok(())
}

/// What one visitor may upload.
async fn form(client: &Client, bucket: &str) -> Result<PostForm, oss_sdk::Error> {
    static VISITORS: AtomicU64 = AtomicU64::new(1);
    let visitor = VISITORS.fetch_add(1, Ordering::Relaxed);
    let policy = PostPolicy::for_prefix(bucket, format!("visitor-{visitor}/"))
        .content_length(1..=1024 * 1024)
        .content_types(["text/plain", "image/png", "image/jpeg"])
        .metadata("visitor", visitor.to_string())
        .field("x-oss-object-acl", "private")
        .success_action_status(201);
    client.presign_post(policy, Duration::from_secs(600)).await
}

/// The page: the form's fields, those that the script fills in, and the file last.
fn page(form: &PostForm) -> Result<String, std::fmt::Error> {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<link rel=\"icon\" href=\"data:,\">\n<title>Upload</title>\n\
         <form method=\"post\" enctype=\"multipart/form-data\" action=\"{}\">\n",
        escaped(&form.url)
    );
    let open = form.open_fields.iter().map(|name| (name.as_str(), ""));
    let fields = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in fields.chain(open) {
        let (name, value) = (escaped(name), escaped(value));
        writeln!(page, "<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")?;
    }
    page.push_str(REST);
    Ok(page)
}

const REST: &str = r#"<label>File <input type="file" name="file" required></label>
<button>Upload</button>
</form>
<p role="status"></p>
<script>
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
form.elements.file.addEventListener("change", () => {
  form.elements["x-oss-content-type"].value = form.elements.file.files[0]?.type ?? "";
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  status.textContent = "uploading";
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    const document = new DOMParser().parseFromString(await answer.text(), "application/xml");
    const element = (name) => document.querySelector(name)?.textContent;
    status.textContent = answer.ok ? `uploaded as ${element("Key")}` : `refused: ${element("Code")}`;
  } catch (error) {
    status.textContent = `failed: ${error}`;
  }
});
</script>
</html>
"#;

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}
