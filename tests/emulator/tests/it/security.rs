//! The table of access decisions: who may do what under which policies, ACLs, blocks and rules.
//!
//! The rows stand in text files, grouped by the page of the service's documentation that decides them, and are read here. A line is
//!
//! - `user NAME [STATEMENT]`: a RAM user of the owner's account; the same name again adds a statement to its policy;
//! - `bucket NAME ACL`, `object BUCKET/KEY ACL`, `config BUCKET FLAG DOCUMENT`, `account FLAG DOCUMENT`, `drop TARGET`: what the owner sets up;
//! - `policy BUCKET STATEMENT [| STATEMENT]`: the policy of a bucket;
//! - `session NAME [stranger:]ROLE [STATEMENT]`: a session of a role, as the owner gets it, with a policy;
//! - `WHO METHOD TARGET [NAME:VALUE ...] [body=TEXT] -> STATUS [CODE]`: a row. WHO is `owner`, `stranger` (another account), `visitor` (a RAM user
//!   of that account), `anonymous`, or a user or session; `WHO!url` sends a presigned URL, `WHO~OTHER` the token of somebody else, `WHO~` none.
//!   A target `vectors:/BUCKET...` is one of the vectors service, one with `{BUCKET}` is one of the tables service and has the ARN of a table
//!   bucket of the owner there, `{stranger:BUCKET}` one of the stranger.
//!   Of the headers, `host` says whom the request calls and `signs` what its signature names, where that is not the path;
//! - `only ACTION[,ACTION] METHOD TARGET [...] -> STATUS [CODE]`: a user who has just these actions gets that answer, and one who has all but
//!   one of them is denied, for each of them.
//!
//! A statement is `allow|deny ACTIONS on|noton RESOURCES [to PRINCIPALS] [if OPERATOR KEY VALUES [and ...]]`, its lists joined by commas.

mod beyond_rows;
mod tamper;

use std::collections::BTreeMap;

use oss_emulator::Emulator;
use serde_json::{Value, json};

use crate::client::{Client, Request, encode, hmac_sha1_base64, md5_base64, noon};

const FILES: &[(&str, &str)] = &[
    ("acl", include_str!("security/acl.txt")),
    ("actions", include_str!("security/actions.txt")),
    ("authorization", include_str!("security/authorization.txt")),
    ("borders", include_str!("security/borders.txt")),
    ("bucket_policy", include_str!("security/bucket_policy.txt")),
    ("conditions", include_str!("security/conditions.txt")),
    ("public_access", include_str!("security/public_access.txt")),
    ("other_services", include_str!("security/other_services.txt")),
    ("ram_policy", include_str!("security/ram_policy.txt")),
    ("referer", include_str!("security/referer.txt")),
    ("requester_pays", include_str!("security/requester_pays.txt")),
];
/// Fewer rows than this would mean that a file is not read.
const LEAST_ROWS: usize = 760;
const STRANGER: &str = "9876543210987654";

struct World {
    emulator: Emulator,
    clients: BTreeMap<String, Client>,
}

#[tokio::test]
async fn every_row_of_the_table_is_decided_as_documented() {
    let mut rows = 0;
    let mut wrong = Vec::new();
    for (name, text) in FILES {
        let mut world = World::of(text).await;
        for (number, line) in lines(text) {
            for (row, expected, got) in world.run(number, line).await {
                rows += 1;
                if expected != got {
                    wrong.push(format!("{name}:{number}: {row}: expected {expected}, got {got}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {rows} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(rows >= LEAST_ROWS, "{rows} rows");
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

impl World {
    async fn of(text: &str) -> Self {
        let mut users: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for (number, line) in lines(text) {
            if let Some(rest) = line.strip_prefix("user ") {
                let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let statements = users.entry(name.to_owned()).or_default();
                statements.extend((!rest.is_empty()).then(|| statement(rest, &|id| id.to_owned())));
            }
            if let Some(rest) = line.strip_prefix("only ") {
                let actions: Vec<_> = rest.split(' ').next().unwrap().split(',').collect();
                let only = json!({"Effect": "Allow", "Action": actions, "Resource": "*"});
                users.insert(format!("only-{number}"), vec![only]);
                for action in actions {
                    let others = json!({"Effect": "Allow", "NotAction": action, "Resource": "*"});
                    users.insert(format!("without-{action}-{number}").replace(':', "-"), vec![others]);
                }
            }
        }
        let mut builder = Emulator::builder()
            .clock(oss_emulator::Clock::fixed(noon()))
            .cname("fixed.example.com", "one")
            .access_key_of(STRANGER, "stranger-key", "stranger-secret");
        for (name, statements) in &users {
            let policy = document(statements);
            builder = builder.ram_user(name, format!("{name}-key"), format!("{name}-secret"), [policy]);
        }
        let all = document(&[json!({"Effect": "Allow", "Action": "*", "Resource": "*"})]);
        let emulator = builder
            .ram_user_of(STRANGER, "visitor", "visitor-key", "visitor-secret", [all])
            .start()
            .await
            .unwrap();
        let owner = Client::of(&emulator);
        let names = users.into_keys().chain(["stranger".to_owned(), "visitor".to_owned()]);
        let mut clients: BTreeMap<_, _> = names
            .map(|name| {
                let (id, secret) = (format!("{name}-key"), format!("{name}-secret"));
                (
                    name,
                    Client {
                        id,
                        secret,
                        ..owner.clone()
                    },
                )
            })
            .collect();
        clients.insert("owner".to_owned(), owner);
        Self { emulator, clients }
    }

    /// Runs a line; each row of it comes back with what was expected and what came.
    async fn run(&mut self, number: usize, line: &str) -> Vec<(String, String, String)> {
        let (word, rest) = line.split_once(' ').unwrap();
        let owner = self.clients["owner"].clone();
        let done = |answer: crate::client::Response| assert!(answer.status < 300, "{line}: {}", answer.text());
        match word {
            "user" => {}
            "bucket" => {
                let (name, acl) = rest.split_once(' ').unwrap();
                done(
                    owner
                        .send(Request::put(&format!("/{name}")).header("x-oss-acl", acl))
                        .await,
                );
            }
            "object" => {
                let (path, acl) = rest.split_once(' ').unwrap();
                let request = Request::put(&format!("/{path}"))
                    .header("x-oss-object-acl", acl)
                    .body("content");
                done(owner.send(request.header("x-oss-tagging", "team=blue")).await);
            }
            "config" => {
                let (name, rest) = rest.split_once(' ').unwrap();
                let (flag, document) = rest.split_once(' ').unwrap();
                done(owner.send(put(&format!("/{name}?{flag}"), document)).await);
            }
            "account" => {
                let (flag, document) = rest.split_once(' ').unwrap();
                done(owner.send(put(&format!("/?{flag}"), document)).await);
            }
            "drop" => done(owner.send(Request::delete(rest)).await),
            "policy" => {
                let (name, rest) = rest.split_once(' ').unwrap();
                done(owner.send(put(&format!("/{name}?policy"), &self.policy(rest))).await);
            }
            "session" => {
                let mut words = rest.splitn(3, ' ');
                let (name, role) = (words.next().unwrap(), words.next().unwrap());
                let policy = words.next().map(|rest| self.policy(rest));
                let client = self.session(name, role, policy.as_deref()).await;
                self.clients.insert(name.to_owned(), client);
            }
            "only" => {
                let (rest, expected) = expected(line, rest);
                let (actions, request) = rest.split_once(' ').unwrap();
                let mut rows = Vec::new();
                for action in actions.split(',') {
                    let user = format!("without-{action}-{number}").replace(':', "-");
                    let row = format!("without {action}: {request}");
                    rows.push((row, "403 AccessDenied".to_owned(), self.ask(&user, request).await));
                }
                let got = self.ask(&format!("only-{number}"), request).await;
                rows.push((format!("with {actions}: {request}"), expected.to_owned(), got));
                return rows;
            }
            _ => {
                let (request, expected) = expected(line, rest);
                let got = self.ask(word, request).await;
                return vec![(line.to_owned(), expected.to_owned(), got)];
            }
        }
        Vec::new()
    }

    /// Whoever a row names: a key, and perhaps the token of somebody else.
    fn client(&self, who: &str) -> Client {
        let (who, token) = who
            .split_once('~')
            .map_or((who, None), |(who, token)| (who, Some(token)));
        let client = self
            .clients
            .get(who)
            .unwrap_or_else(|| panic!("nobody is called {who}"));
        match token {
            Some(other) => Client {
                token: self.clients.get(other).and_then(|other| other.token.clone()),
                ..client.clone()
            },
            None => client.clone(),
        }
    }

    /// Sends a request and tells its status and error code.
    async fn ask(&self, who: &str, request: &str) -> String {
        let (head, body) = request.split_once(" body=").unwrap_or((request, ""));
        let body = match body.split_once("policy=") {
            Some((_, policy)) => self.policy(policy),
            None => body.to_owned(),
        };
        let mut words = head.split_whitespace();
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (mut request, service) = self.addressed(method, target);
        let body = match service {
            "osstables" if !body.is_empty() && !body.contains("\"name") => json!({"resourcePolicy": body}).to_string(),
            _ => body,
        };
        let is_delete = request.query.iter().any(|(name, _)| name == "delete");
        let (who, is_url) = who.strip_suffix("!url").map_or((who, false), |who| (who, true));
        let mut client = match who {
            "anonymous" => self.clients["owner"].clone(),
            who => self.client(who),
        };
        service.clone_into(&mut client.product);
        for (name, value) in words.filter_map(|header| header.split_once(':')) {
            match name {
                "host" => value.clone_into(&mut client.host),
                "signs" => request = request.resource(value),
                _ => request = request.header(name, value),
            }
        }
        if is_delete {
            request = request.header("content-md5", &md5_base64(body.as_bytes()));
        }
        let request = request.body(body);
        let answer = match is_url {
            _ if who == "anonymous" => client.send_as_is(request).await,
            true => client.send_as_is(client.presign(request, 60)).await,
            false => client.send(request).await,
        };
        match answer.header("x-oss-err") {
            Some(error) => {
                use base64::Engine as _;
                let error = base64::engine::general_purpose::STANDARD.decode(error).unwrap();
                let error = String::from_utf8(error).unwrap();
                let code = error.split("<Code>").nth(1).and_then(|rest| rest.split('<').next());
                format!("{} {}", answer.status, code.unwrap_or_default())
            }
            None if answer.status < 400 => answer.status.to_string(),
            None if service == "osstables" => {
                format!(
                    "{} {}",
                    answer.status,
                    answer.header("x-oss-error-type").unwrap_or_default()
                )
            }
            None if answer.body.first() == Some(&b'{') => {
                format!(
                    "{} {}",
                    answer.status,
                    answer.json()["Error"]["Code"].as_str().unwrap_or_default()
                )
            }
            None => format!("{} {}", answer.status, answer.error().1),
        }
    }

    /// A request for a target, with what its signature names, and the product that it is signed for.
    fn addressed(&self, method: &str, target: &str) -> (Request, &'static str) {
        let own = self.emulator.account_id();
        if let Some(target) = target.strip_prefix("vectors:") {
            let request = Request::new(method, target).header("content-type", "application/json");
            let bucket = request.path.trim_matches('/').to_owned();
            let arn = match bucket.as_str() {
                "" => ":/".to_owned(),
                bucket => format!("{own}:{bucket}/"),
            };
            return (request.resource(&format!("/acs:ossvector:cn-hangzhou:{arn}")), "oss");
        }
        let Some((before, rest)) = target.split_once('{') else {
            return (Request::new(method, target), "oss");
        };
        let (name, after) = rest.split_once('}').unwrap();
        let (account, name) = match name.strip_prefix("stranger:") {
            Some(name) => (STRANGER, name),
            None => (own, name),
        };
        let arn = match name {
            "" => format!("acs:osstables:cn-hangzhou::bucket/{name}"),
            name => format!("acs:osstables:cn-hangzhou:{account}:bucket/{name}"),
        };
        let (in_path, in_signature) = match name {
            "" => (before.to_owned(), before.to_owned()),
            _ => (
                format!("{before}{}{after}", encode(&arn)),
                format!("{before}{arn}{after}"),
            ),
        };
        let request = Request::new(method, &in_path).encoded();
        (
            request
                .resource(&format!("/{arn}{in_signature}"))
                .header("content-type", "application/json"),
            "osstables",
        )
    }

    fn policy(&self, text: &str) -> String {
        let id = |principal: &str| match principal.split_once(':') {
            Some(("user", name)) => self.emulator.ram_user_id(name).unwrap().to_owned(),
            Some(("session", path)) => format!("arn:sts::{}:assumed-role/{path}", self.emulator.account_id()),
            _ if principal == "owner" => self.emulator.account_id().to_owned(),
            _ if principal == "stranger" => STRANGER.to_owned(),
            _ => principal.to_owned(),
        };
        let statements: Vec<_> = text.split(" | ").map(|text| statement(text, &id)).collect();
        document(&statements)
    }

    async fn session(&self, name: &str, role: &str, policy: Option<&str>) -> Client {
        let owner = &self.clients["owner"];
        let role = match role.strip_prefix("stranger:") {
            Some(role) => format!("acs:ram::{STRANGER}:role/{role}"),
            None => format!("acs:ram::{}:role/{role}", self.emulator.account_id()),
        };
        let mut parameters = vec![
            ("AccessKeyId", owner.id.as_str()),
            ("Action", "AssumeRole"),
            ("Format", "JSON"),
            ("RoleArn", &role),
            ("RoleSessionName", name),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", name),
            ("SignatureVersion", "1.0"),
            ("Timestamp", "2023-12-17T16:20:57Z"),
            ("Version", "2015-04-01"),
        ];
        parameters.extend(policy.map(|policy| ("Policy", policy)));
        parameters.sort_unstable();
        let pairs = parameters
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)));
        let joined = pairs.collect::<Vec<_>>().join("&");
        let signature = hmac_sha1_base64(&format!("{}&", owner.secret), &format!("POST&%2F&{}", encode(&joined)));
        let request = Request::post("/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("{joined}&Signature={}", encode(&signature)));
        let answer = owner.send_as_is(request).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let credentials = &answer.json()["Credentials"];
        let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
        Client {
            id: text("AccessKeyId"),
            secret: text("AccessKeySecret"),
            token: Some(text("SecurityToken")),
            ..owner.clone()
        }
    }
}

fn expected<'l>(line: &str, rest: &'l str) -> (&'l str, &'l str) {
    rest.rsplit_once(" -> ").unwrap_or_else(|| panic!("no row: {line}"))
}

fn put(target: &str, document: &str) -> Request {
    Request::put(target)
        .header("content-md5", &md5_base64(document.as_bytes()))
        .body(document)
}

fn document(statements: &[Value]) -> String {
    json!({"Version": "1", "Statement": statements}).to_string()
}

/// Writes a statement as JSON.
fn statement(text: &str, principal: &dyn Fn(&str) -> String) -> Value {
    let (head, conditions) = text.split_once(" if ").unwrap_or((text, ""));
    let mut words = head.split(' ');
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let effect = if words.next() == Some("allow") { "Allow" } else { "Deny" };
    let actions = list(words.next().unwrap());
    let resources = if words.next() == Some("on") {
        "Resource"
    } else {
        "NotResource"
    };
    let full = |name: String| match name.as_str() {
        "*" => name,
        _ if name.starts_with("acs:") => name,
        _ => format!("acs:oss:*:*:{name}"),
    };
    let names: Vec<_> = list(words.next().unwrap()).into_iter().map(full).collect();
    let mut statement = json!({"Effect": effect, "Action": actions});
    statement[resources] = json!(names);
    if words.next() == Some("to") {
        let principals: Vec<_> = list(words.next().unwrap()).iter().map(|name| principal(name)).collect();
        statement["Principal"] = json!(principals);
    }
    for condition in conditions.split(" and ").filter(|condition| !condition.is_empty()) {
        let mut words = condition.splitn(3, ' ');
        let (operator, key) = (words.next().unwrap(), words.next().unwrap());
        statement["Condition"][operator][key] = json!(list(words.next().unwrap_or_default()));
    }
    statement
}
