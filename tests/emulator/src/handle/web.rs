//! What browsers ask for on other ways than signed requests: preflight requests, uploads by forms, pages of websites.

use bytes::Bytes;
use http::{HeaderMap, Method};
use quick_xml::escape::escape;

use super::Exchange;
use crate::answer::{Rendered, RenderedBody, insert};
use crate::auth::Signed;
use crate::body::Body;
use crate::error::ServiceError;
use crate::form::{Context, Form, Success, is_form};
use crate::operations::{self, Call};
use crate::request::Head;
use crate::route::{self, Route};
use crate::store_error::locate;
use crate::website::{Missing, Site};
use crate::{cors, input, text};

impl Exchange<'_> {
    /// Runs a request that may be of one of these kinds, or like any other.
    pub(super) async fn run_web(
        &mut self,
        route: Result<Route, ServiceError>,
        head: &Head,
        body: &mut Body,
    ) -> Result<Rendered, ServiceError> {
        if head.method == Method::OPTIONS {
            return cors::preflight(self.state, head);
        }
        if is_form(head) {
            return self.run_form(head, body).await;
        }
        match Site::of(self.state, head)? {
            Some(site) => self.visit(&site, route, head, body).await,
            None => self.run_rest(route, head, body).await,
        }
    }

    /// Answers the visitor of a website.
    async fn visit(
        &mut self,
        site: &Site,
        route: Result<Route, ServiceError>,
        head: &Head,
        body: &mut Body,
    ) -> Result<Rendered, ServiceError> {
        if let Some(redirection) = site.redirection(head)? {
            return Ok(redirection);
        }
        let Some(page) = site.page(head.key()) else {
            return self.run_rest(route, head, body).await;
        };
        let found = self.page(head, &page, body).await;
        let (Err(error), Some(bucket)) = (&found, head.bucket()) else {
            return found;
        };
        if error.status != 404 || error.code == "NoSuchBucket" {
            return found;
        }
        let exists = |key: &str| self.state.store.object(bucket, key, None).is_ok();
        match site.missing(head, exists)? {
            Missing::Answer(answer) => Ok(answer),
            Missing::Page { key, status: None } => self.page(head, &key, body).await,
            Missing::Page {
                key,
                status: Some(status),
            } => {
                let mut plain = head.clone();
                for name in [
                    "range",
                    "if-match",
                    "if-none-match",
                    "if-modified-since",
                    "if-unmodified-since",
                ] {
                    plain.headers.remove(name);
                }
                match self.page(&plain, &key, body).await {
                    Ok(rendered) => Ok(Rendered { status, ..rendered }),
                    Err(_) => found,
                }
            }
            Missing::Nothing => found,
        }
    }

    async fn page(&mut self, head: &Head, key: &str, body: &mut Body) -> Result<Rendered, ServiceError> {
        let mut head = head.clone();
        head.address.key = Some(key.to_owned());
        let route = route::rest(self.state.api, &head);
        self.run_rest(route, &head, body).await
    }

    /// Takes in an upload by a form, as the PutObject that it amounts to.
    async fn run_form(&mut self, head: &Head, body: &mut Body) -> Result<Rendered, ServiceError> {
        let service = self
            .state
            .api
            .service("oss")
            .ok_or_else(|| ServiceError::internal("There is no model of oss."))?;
        let operation = service
            .operation("PutObject")
            .ok_or_else(|| ServiceError::internal("There is no model of PutObject."))?;
        let bucket = head.bucket().unwrap_or_default();
        let form = Form::read(head, body).await?;
        let signed = Signed::default();
        let context = Context {
            keys: &self.state.keys,
            now: self.now,
            region: &self.state.region,
            signed: &signed,
        };
        let principal = form.authenticate(bucket, context)?;
        self.recognise(&principal, &signed);
        let put = form.as_put(head);
        self.authorise(&principal, &service.name, &operation.name, &put)?;
        let input = input::bind_head(service, operation, &put)?;
        let taken = form.take_file(&self.state.store).await?;
        let (success, callback) = (taken.success(), taken.callback(&put)?);
        let call = Call {
            state: self.state,
            service,
            operation,
            head: &put,
            input,
            principal,
            body,
            now: self.now,
            request_id: &self.record.request_id,
            is_form: true,
        };
        let answer = Box::pin(operations::put_content(&call, taken.content, callback.as_ref()))
            .await
            .map_err(|error| locate(error, &put))?;
        let rendered = answer.render(service, operation)?;
        Ok(match callback {
            Some(_) => rendered,
            None => answer_form(&success, &put, rendered),
        })
    }
}

/// The answer to a form: a redirection, a document, or nothing but headers.
fn answer_form(success: &Success, put: &Head, rendered: Rendered) -> Rendered {
    let mut headers: HeaderMap = rendered.headers;
    let (bucket, key) = (put.bucket().unwrap_or_default(), put.key().unwrap_or_default());
    let etag = headers
        .get("etag")
        .and_then(|etag| etag.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    if let Some(url) = &success.redirect {
        let separator = if url.contains('?') { '&' } else { '?' };
        let location = format!(
            "{url}{separator}bucket={}&key={}&etag={}",
            text::encode(bucket),
            text::encode(key),
            text::encode(&etag)
        );
        insert(&mut headers, "location", &location);
        return Rendered {
            status: 303,
            headers,
            body: RenderedBody::Full(Bytes::new()),
        };
    }
    let path = if put.address.hosted {
        String::new()
    } else {
        format!("{bucket}/")
    };
    let location = format!("http://{}/{path}{}", put.host, text::encode_path(key));
    let document = match success.status {
        201 => {
            insert(&mut headers, "content-type", "application/xml");
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Bucket>{}</Bucket><Location>{}</Location><Key>{}</Key><ETag>{}</ETag></PostResponse>",
                escape(bucket),
                escape(&location),
                escape(key),
                escape(&etag)
            )
        }
        _ => String::new(),
    };
    insert(&mut headers, "location", &location);
    Rendered {
        status: success.status,
        headers,
        body: RenderedBody::Full(Bytes::from(document)),
    }
}
