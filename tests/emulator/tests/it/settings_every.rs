//! Every operation of the object service that is not about objects, sent once in the form of its model: none is unknown to the emulator.

use oss_emulator::model::{Member, Method, Operation, Place, Resource, Service, Type};

use crate::client::{Request, start_with_bucket};

/// What the emulator refuses by name, as its README says.
const NOT_IMPLEMENTED: &[&str] = &["WriteGetObjectResponse"];

/// A value that the member takes.
fn sample(service: &Service, member: &Member, ty: &Type) -> String {
    match ty {
        Type::Integer => member.range.map_or(1, |(least, _)| least.max(1)).to_string(),
        Type::Float | Type::Float32 => "1.5".to_owned(),
        Type::Bool => "true".to_owned(),
        Type::Timestamp(_) => "2023-01-01T00:00:00.000Z".to_owned(),
        Type::Enum(id) => service.enumeration(*id).values[0].wire.clone(),
        _ => match member.name.as_str() {
            "resource_group_id" => "rg-abc".to_owned(),
            "domain" | "cname" => "files.example.com".to_owned(),
            "location" => "oss-cn-hangzhou".to_owned(),
            "bucket" if member.doc.contains("acs:oss") => "acs:oss:::bucket".to_owned(),
            "role_arn" => "acs:ram::1234567890123456:role/r".to_owned(),
            _ => "sample".to_owned(),
        },
    }
}

fn element(service: &Service, member: &Member) -> String {
    let inner_type = match &member.ty {
        Type::List(item) => item.as_ref(),
        ty => ty,
    };
    let content = match inner_type {
        Type::Shape(id) => {
            let members = &service.shape(*id).members;
            let required = members.iter().filter(|member| member.required);
            required.map(|member| element(service, member)).collect()
        }
        ty => sample(service, member, ty),
    };
    let names = member.wire.iter().rev();
    names.fold(content, |content, name| format!("<{name}>{content}</{name}>"))
}

/// The smallest request of an operation.
fn smallest(service: &Service, operation: &Operation) -> Request {
    let path = match operation.resource {
        Resource::Service => "/",
        _ => "/bucket",
    };
    let method = match operation.method {
        Method::Get => "GET",
        Method::Put => "PUT",
        Method::Post => "POST",
        Method::Delete => "DELETE",
        Method::Head => "HEAD",
        Method::Options => "OPTIONS",
    };
    let mut request = Request::new(method, path);
    for (name, value) in &operation.query {
        request = request.query(name, value.as_deref().unwrap_or_default());
    }
    for member in operation.request.iter().filter(|member| member.required) {
        let wire = member.wire.first().map(String::as_str).unwrap_or_default();
        match member.place {
            Place::Query => request = request.query(wire, &sample(service, member, &member.ty)),
            Place::Header => request = request.header(wire, &sample(service, member, &member.ty)),
            Place::Text => request = request.body("{\"Version\":\"1\",\"Statement\":[]}"),
            Place::Body => {
                let id = member.ty.shape().expect("a shape");
                let shape = service.shape(id);
                let required = shape.members.iter().filter(|member| member.required);
                let content: String = required.map(|member| element(service, member)).collect();
                request = request.body(format!("<{0}>{content}</{0}>", shape.wire));
            }
            _ => {}
        }
    }
    request
}

#[tokio::test]
async fn every_operation_on_settings_is_known() {
    let (_emulator, client) = start_with_bucket().await;
    let api = oss_emulator::model::api().unwrap();
    let service = api.service("oss").unwrap();
    let mut sent = 0;
    for (group, operation) in service.operations() {
        if operation.resource == Resource::Object || group.name == "listing" || group.name.starts_with("object_basic") {
            continue;
        }
        // The bucket has to stay for the others.
        let mut request = smallest(service, operation);
        if operation.name == "DeleteBucket" {
            request.path = "/another".to_owned();
        }
        let answer = client.send(request).await;
        sent += 1;
        let is_refused = NOT_IMPLEMENTED.contains(&operation.name.as_str());
        assert_eq!(
            answer.status == 501,
            is_refused,
            "{}: {}",
            operation.name,
            answer.text()
        );
        assert_ne!(answer.status, 500, "{}: {}", operation.name, answer.text());
        if answer.status >= 400 && !is_refused {
            let code = answer.element("Code").unwrap_or_default();
            let documented = operation.errors.contains(&code) || service.errors.iter().any(|known| known.code == code);
            let made_up = code.starts_with("NoSuch")
                || code == "MalformedXML"
                || code == "InvalidArgument"
                || code == "CnameTokenNotFound";
            assert!(documented || made_up, "{}: {}", operation.name, answer.text());
        }
    }
    assert!(sent > 110, "{sent}");
}
