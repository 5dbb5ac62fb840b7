//! Tests of the reader: forms that documents of the service take, and forms that an attacker would send.

use super::*;
use crate::xml::{read_document, read_root_text};

#[derive(Debug, Default, PartialEq)]
struct Page {
    name: Option<String>,
    count: i64,
    is_truncated: bool,
    items: Vec<Item>,
    prefixes: Vec<String>,
}

#[derive(Debug, Default, PartialEq)]
struct Item {
    key: String,
    size: u64,
    owner: Option<String>,
}

impl ReadXml for Page {
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
        while let Some(child) = reader.next_child()? {
            match child {
                b"Name" => self.name = Some(reader.value()?),
                b"Count" => self.count = reader.value()?,
                b"IsTruncated" => self.is_truncated = reader.value()?,
                b"Contents" => self.items.push(reader.read()?),
                b"Prefixes" => {
                    while let Some(child) = reader.next_child()? {
                        match child {
                            b"Prefix" => self.prefixes.push(reader.text()?),
                            _ => reader.skip()?,
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
        Ok(())
    }
}

impl ReadXml for Item {
    fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
        let mut key = None;
        while let Some(child) = reader.next_child()? {
            match child {
                b"Key" => key = Some(reader.value()?),
                b"Size" => self.size = reader.value()?,
                b"Owner" => {
                    while let Some(child) = reader.next_child()? {
                        match child {
                            b"ID" => self.owner = Some(reader.value()?),
                            _ => reader.skip()?,
                        }
                    }
                }
                _ => reader.skip()?,
            }
        }
        self.key = reader.required("Key", key)?;
        Ok(())
    }
}

const DOCUMENT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- a listing -->
<Page xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com" a='>'>
  <Name>a &amp; b</Name>
  <Unknown><Deep><Name>not this</Name></Deep> text <Empty/></Unknown>
  <Contents><Key> k/1 </Key><Size>5</Size><Owner><ID>o</ID></Owner></Contents>
  <Contents ><Size> 7 </Size><Key><![CDATA[<k>&2]]></Key></Contents >
  <x:Count xmlns:x="u">3</x:Count>
  <Prefixes><Prefix>p&#47;</Prefix><Other/><Prefix/><Prefix></Prefix></Prefixes>
  <Prefixes/>
  <IsTruncated>true</IsTruncated>
</Page>
"#;

fn page(document: &[u8]) -> Result<Page, XmlError> {
    let mut page = Page::default();
    read_document(document, Some("Page"), &mut page).map(|()| page)
}

#[test]
fn a_document_of_every_form_is_read() {
    let expected = Page {
        name: Some("a & b".to_owned()),
        count: 3,
        is_truncated: true,
        items: vec![
            Item {
                key: " k/1 ".to_owned(),
                size: 5,
                owner: Some("o".to_owned()),
            },
            Item {
                key: "<k>&2".to_owned(),
                size: 7,
                owner: None,
            },
        ],
        prefixes: vec!["p/".to_owned(), String::new(), String::new()],
    };
    assert_eq!(page(DOCUMENT.as_bytes()).unwrap(), expected);
    assert_eq!(page(format!("\u{feff}{DOCUMENT}").as_bytes()).unwrap(), expected);
}

#[test]
fn text_is_put_together_from_its_pieces() {
    let rows = [
        ("<T/>", ""),
        ("<T></T>", ""),
        ("<T> a </T>", " a "),
        ("<T>a<!-- x -->b</T>", "ab"),
        ("<T>a<![CDATA[ <&> ]]>b&lt;c&#x65E5;&#10;</T>", "a <&> b<c日\n"),
        ("<T>line\r\nline\rline</T>", "line\nline\nline"),
        ("<T>&amp;amp;</T>", "&amp;"),
        ("<T>&#1;</T>", "\u{1}"),
    ];
    for (document, expected) in rows {
        assert_eq!(
            read_root_text(document.as_bytes(), Some("T")).unwrap(),
            expected,
            "{document}"
        );
    }
}

#[test]
fn errors_say_what_and_where() {
    let rows = [
        ("", "there is no root element at byte 0"),
        ("  plain text", "there is no root element at byte 12"),
        ("<Other/>", "expected the root element `Page`, found `Other` at byte 8"),
        (
            "<Page><Count>x</Count></Page>",
            "expected an integer, found `x` in `Page/Count` at byte 22",
        ),
        (
            "<Page><Contents><Size/></Contents></Page>",
            "expected an integer, found `` in `Page/Contents/Size` at byte 23",
        ),
        (
            "<Page><Contents/></Page>",
            "the element `Key` is missing in `Page/Contents` at byte 17",
        ),
        (
            "<Page><Name>a<b/></Name></Page>",
            "expected text, found the element `b` in `Page/Name` at byte 17",
        ),
        (
            "<Page><Name>&bomb;</Name></Page>",
            "unknown reference `&bomb;` in `Page` at byte 18",
        ),
        (
            "<Page><Name>&#0;</Name></Page>",
            "unknown reference `&#0;` in `Page` at byte 16",
        ),
        ("<Page><Name>a", "the document ends in the middle in `Page` at byte 13"),
        (
            "<Page><Name>a</Name>",
            "the document ends in the middle in `Page` at byte 20",
        ),
        ("<Page><Na", "the document ends in the middle in `Page` at byte 9"),
        (
            "<!DOCTYPE a><Page/>",
            "a document type declaration is not allowed at byte 12",
        ),
        ("<Page/><Page/>", "something follows the root element at byte 14"),
        ("<Page/>text", "something follows the root element at byte 11"),
    ];
    for (document, expected) in rows {
        assert_eq!(
            page(document.as_bytes()).unwrap_err().to_string(),
            expected,
            "{document}"
        );
    }
    let error = page(b"<Page><a></b></Page>").unwrap_err();
    assert!(error.to_string().starts_with("malformed XML: "), "{error}");
    assert!(page(b"<Page><Name>\xff\xfe</Name></Page>").is_err());
    assert!(page(b"<Page>").unwrap_err().is_truncated());
}

#[test]
fn a_reader_that_reads_too_little_or_too_often_does_no_harm() {
    #[derive(Default)]
    struct Lazy(usize);
    impl ReadXml for Lazy {
        fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
            reader.next_child()?;
            self.0 += 1;
            Ok(())
        }
    }
    #[derive(Default)]
    struct Outer(usize, String);
    impl ReadXml for Outer {
        fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
            while let Some(child) = reader.next_child()? {
                match child {
                    b"L" => self.0 += reader.read::<Lazy>()?.0,
                    _ => {
                        self.1 = reader.value()?;
                        assert_eq!(reader.text()?, "", "the text was read before");
                    }
                }
            }
            assert!(reader.next_child()?.is_none());
            Ok(())
        }
    }
    let mut outer = Outer::default();
    let document = "<O><L><a><b>1</b></a><c/></L><L/><L>text</L><S>end</S></O>";
    read_document(document.as_bytes(), None, &mut outer).unwrap();
    assert_eq!((outer.0, outer.1.as_str()), (3, "end"));
}

#[test]
fn deep_nesting_ends_in_an_error_not_in_the_stack() {
    for (open, close) in [("<a>", "</a>"), ("<Contents>", "</Contents>")] {
        let document = format!("<Page>{}{}</Page>", open.repeat(100_000), close.repeat(100_000));
        let error = page(document.as_bytes()).unwrap_err();
        assert!(
            error.to_string().starts_with("more than 64 elements inside each other"),
            "{error}"
        );
    }
}

#[test]
fn a_recursive_shape_reads_to_the_limit() {
    #[derive(Default)]
    struct Nested(usize);
    impl ReadXml for Nested {
        fn read_xml(&mut self, reader: &mut XmlReader<'_>) -> Result<(), XmlError> {
            while reader.next_child()?.is_some() {
                self.0 += 1 + reader.read::<Nested>()?.0;
            }
            Ok(())
        }
    }
    let document = |depth: usize| format!("{}{}", "<n>".repeat(depth), "</n>".repeat(depth));
    let mut value = Nested::default();
    read_document(document(MAX_DEPTH).as_bytes(), None, &mut value).unwrap();
    assert_eq!(value.0, MAX_DEPTH - 1);
    assert!(read_document(document(MAX_DEPTH + 1).as_bytes(), None, &mut Nested::default()).is_err());
}

#[test]
fn every_cut_document_is_an_error() {
    let end = DOCUMENT.trim_end().len();
    for at in 0..end {
        assert!(page(&DOCUMENT.as_bytes()[..at]).is_err(), "cut at {at}");
    }
}

#[test]
fn changed_documents_never_panic_or_hang() {
    // xorshift: the same changes on every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let pieces: [&[u8]; 12] = [
        b"<",
        b">",
        b"</",
        b"/>",
        b"&",
        b";",
        b"<!--",
        b"<![CDATA[",
        b"]]>",
        b"<?",
        b"\0",
        b"<!DOCTYPE a [<!ENTITY",
    ];
    for _ in 0..20_000 {
        let mut document = DOCUMENT.as_bytes().to_vec();
        for _ in 0..=random(4) {
            let at = random(document.len());
            match random(4) {
                0 => document[at] = random(256) as u8,
                1 => drop(document.drain(at..(at + random(40)).min(document.len()))),
                2 => drop(document.splice(at..at, pieces[random(pieces.len())].iter().copied())),
                _ => document.truncate(at.max(1)),
            }
            if document.is_empty() {
                break;
            }
        }
        if let Err(error) = page(&document) {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn one_huge_element_is_read_in_one_piece_and_repeated_in_no_error() {
    let size = 100 << 20;
    let text = "x".repeat(size);
    let document = format!("<Page><Name>{text}</Name></Page>");
    assert_eq!(
        page(document.as_bytes()).unwrap().name.map(|name| name.len()),
        Some(size)
    );
    let rows = [
        format!("<Page><Count>{text}</Count></Page>"),
        format!("<Page><Name>&{text};</Name></Page>"),
        format!("<Page><Name>{text}"),
        format!("<{text}/>"),
        format!("<Page><Name><{text}/></Name></Page>"),
        format!("<Page></{text}>"),
        format!("<Page><{text}></Page>"),
    ];
    for document in rows {
        let error = page(document.as_bytes()).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(shown.len() < 2000, "{} bytes for {}", shown.len(), &document[..20]);
    }
    // Names, attributes and comments of any length are passed over.
    let document = format!("<Page><{text}/><A b='{text}'/><!--{text}--><Count>7</Count></Page>");
    assert_eq!(page(document.as_bytes()).unwrap().count, 7);
}

#[test]
fn a_flood_of_elements_is_refused() {
    let item = "<Prefixes/>";
    let document = |count: usize| format!("<Page>{}</Page>", item.repeat(count));
    assert!(page(document(MAX_ELEMENTS as usize - 1).as_bytes()).is_ok());
    for unknown in ["<Prefixes/>", "<U/>", "<U></U>", "<U><V/></U>"] {
        let document = format!("<Page>{}</Page>", unknown.repeat(MAX_ELEMENTS as usize));
        let error = page(document.as_bytes()).unwrap_err();
        assert!(error.to_string().starts_with("more than 500000 elements"), "{error}");
    }
}

#[test]
fn entities_are_never_more_than_they_are() {
    let tricks = [
        "<!DOCTYPE Page [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Page><Name>&b;</Name></Page>",
        "<!DOCTYPE Page SYSTEM \"file:///etc/passwd\"><Page/>",
        "<!DOCTYPE Page [<!ENTITY x SYSTEM \"http://host/\">]><Page><Name>&x;</Name></Page>",
        "<Page><!DOCTYPE Page><Name/></Page>",
        "<Page><Name><!ENTITY a 'b'></Name></Page>",
        "<Page><Name>&a;</Name></Page>",
        "<Page><Name>&;</Name></Page>",
        "<Page><Name>&#;</Name></Page>",
        "<Page><Name>&#x;</Name></Page>",
        "<Page><Name>&#xD800;</Name></Page>",
        "<Page><Name>&#x110000;</Name></Page>",
        "<Page><Name>&#99999999999999999999;</Name></Page>",
        "<Page><Name>&#-1;</Name></Page>",
        "<Page><Name>&amp</Name></Page>",
        "<Page><Name>&AMP;</Name></Page>",
    ];
    for document in tricks {
        assert!(page(document.as_bytes()).is_err(), "{document}");
    }
    let many = format!("<Page><Name>{}</Name></Page>", "&lt;&#65;&#x10FFFF;".repeat(1 << 20));
    let name = page(many.as_bytes()).unwrap().name.unwrap();
    assert_eq!(name.chars().count(), 3 << 20);
}

#[test]
fn of_elements_that_are_there_twice_the_last_counts() {
    let document = b"<Page><Count>1</Count><Name>a</Name><Count>2</Count><Name>b</Name></Page>";
    let page = page(document).unwrap();
    assert_eq!((page.count, page.name.as_deref()), (2, Some("b")));
}

#[test]
fn what_is_not_utf8_is_an_error_wherever_it_is_read() {
    let rows: [&[u8]; 5] = [
        b"<Page><Name>a\xffb</Name></Page>",
        b"<Page><Name>\xed\xa0\x80</Name></Page>",
        b"<Page><Name>\xc0\xaf</Name></Page>",
        b"<Page><Name><![CDATA[\xf8]]></Name></Page>",
        b"<Page><Count>\x80</Count></Page>",
    ];
    for document in rows {
        assert!(page(document).is_err(), "{}", String::from_utf8_lossy(document));
    }
    // UTF-16 is not what the service speaks.
    let utf16: Vec<u8> = "\u{feff}<Page/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(page(&utf16).is_err());
}
