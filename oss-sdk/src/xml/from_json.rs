//! JSON documents as XML, for operations that answer in either: objects become elements, lists become runs of elements
//! of one name. So one reader serves both, and a build without JSON reads them too.

use super::XmlWriter;
use crate::text::TextError;

/// Objects and lists inside each other; the reader of XML takes no more.
const MAX_DEPTH: usize = 60;

/// Longest document that is written, in bytes.
const MAX_DOCUMENT: usize = 64 * 1024 * 1024;

/// Longest name of a member that is taken over. Names of the service have fewer than fifty bytes.
const MAX_NAME: usize = 128;

/// The XML document with the members of a JSON object in an element `root`.
///
/// Members that are `null` are left out, and so are those whose names cannot be those of elements.
///
/// # Errors
///
/// When the document is not JSON, is no object, nests too deeply or would become much larger.
pub(crate) fn from_json(root: &str, json: &[u8]) -> Result<Vec<u8>, TextError> {
    let input =
        std::str::from_utf8(json).map_err(|_| TextError::new("JSON in UTF-8", &String::from_utf8_lossy(json)))?;
    let mut reader = Reader {
        input: input.strip_prefix('\u{feff}').unwrap_or(input),
        at: 0,
        // The name of a list is written once for each item, and a hostile list has many.
        budget: (16 * json.len() + 4096).min(MAX_DOCUMENT),
        out: XmlWriter::new(),
    };
    reader.blanks();
    if reader.peek() != Some(b'{') {
        return Err(reader.expected("a JSON object"));
    }
    reader.value(Some(root), 0)?;
    reader.blanks();
    if reader.peek().is_some() {
        return Err(reader.expected("the end of the JSON document"));
    }
    let unwritable = |_| TextError::new("JSON without NUL characters", input);
    reader.out.finish().map_err(unwritable)
}

struct Reader<'a> {
    input: &'a str,
    at: usize,
    /// Bytes that may still be written.
    budget: usize,
    out: XmlWriter,
}

impl Reader<'_> {
    /// Reads a value, and writes it as element of a name unless it is one to leave out.
    fn value(&mut self, name: Option<&str>, depth: usize) -> Result<(), TextError> {
        if depth > MAX_DEPTH {
            return Err(self.expected("at most 60 objects and lists inside each other"));
        }
        self.blanks();
        match self.peek() {
            Some(b'{') => self.object(name, depth),
            Some(b'[') => self.list(name, depth),
            Some(b'"') => {
                let text = self.string()?;
                self.element(name, &text)
            }
            Some(_) => {
                let word = self.word();
                if word == "null" {
                    return Ok(());
                }
                let is_number =
                    word.starts_with(|c: char| c == '-' || c.is_ascii_digit()) && word.parse::<f64>().is_ok();
                if !is_number && word != "true" && word != "false" {
                    self.at -= word.len();
                    return Err(self.expected("a JSON value"));
                }
                let word = word.to_owned();
                self.element(name, &word)
            }
            None => Err(self.expected("a JSON value")),
        }
    }

    fn object(&mut self, name: Option<&str>, depth: usize) -> Result<(), TextError> {
        self.at += 1;
        if let Some(name) = name {
            self.pay(2 * name.len() + 5)?;
            self.out.open(name);
        }
        let mut is_first = true;
        while self.goes_on(b'}', &mut is_first)? {
            if self.peek() != Some(b'"') {
                return Err(self.expected("the name of a member"));
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            let key = (name.is_some() && is_element_name(&key)).then_some(key.as_str());
            self.value(key, depth + 1)?;
        }
        if let Some(name) = name {
            self.out.close(name);
        }
        Ok(())
    }

    fn list(&mut self, name: Option<&str>, depth: usize) -> Result<(), TextError> {
        self.at += 1;
        let mut is_first = true;
        while self.goes_on(b']', &mut is_first)? {
            self.value(name, depth + 1)?;
        }
        Ok(())
    }

    /// Goes to the next item of a list or object, if the list does not end here.
    fn goes_on(&mut self, end: u8, is_first: &mut bool) -> Result<bool, TextError> {
        self.blanks();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::replace(is_first, false) {
            if self.peek() != Some(b',') {
                return Err(self.expected("`,` or the end of the list or object"));
            }
            self.at += 1;
            self.blanks();
            if self.peek() == Some(end) {
                return Err(self.expected("another item after `,`"));
            }
        }
        Ok(true)
    }

    fn element(&mut self, name: Option<&str>, text: &str) -> Result<(), TextError> {
        if let Some(name) = name {
            self.pay(2 * name.len() + 5 + text.len())?;
            self.out.element(name, text);
        }
        Ok(())
    }

    fn pay(&mut self, bytes: usize) -> Result<(), TextError> {
        match self.budget.checked_sub(bytes) {
            Some(rest) => {
                self.budget = rest;
                Ok(())
            }
            None => Err(self.expected("lists whose names are shorter than all of their items")),
        }
    }

    /// A string, from its opening quote to behind its closing one.
    fn string(&mut self) -> Result<String, TextError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.input[self.at..];
            let Some(stop) = rest.find(|c: char| c == '"' || c == '\\' || c < ' ') else {
                return Err(self.expected("the end of a string"));
            };
            out.push_str(&rest[..stop]);
            self.at += stop;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    out.push(c);
                }
                _ => return Err(self.expected("a string without control characters")),
            }
        }
    }

    /// What stands behind a backslash.
    fn escape(&mut self) -> Result<char, TextError> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.expected("a known escape")),
        };
        self.at += 1;
        Ok(c)
    }

    /// A character by its number, or by two numbers of UTF-16.
    fn unicode(&mut self) -> Result<char, TextError> {
        let first = self.number()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        if self.input[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.number()?;
            if (0xd800..0xdc00).contains(&first) && (0xdc00..0xe000).contains(&second) {
                let number = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return char::from_u32(number).ok_or_else(|| self.expected("a character"));
            }
        }
        Err(self.expected("both halves of a character"))
    }

    fn number(&mut self) -> Result<u32, TextError> {
        let digits = self.input.get(self.at..self.at + 4).unwrap_or_default();
        let is_hex = digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(digits, 16) {
            Ok(number) if is_hex => {
                self.at += 4;
                Ok(number)
            }
            _ => Err(self.expected("four hexadecimal digits")),
        }
    }

    /// Letters and digits, as numbers and the words `true`, `false` and `null` have them.
    fn word(&mut self) -> &str {
        let rest = &self.input[self.at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.')))
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn blanks(&mut self) {
        let rest = &self.input[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn peek(&self) -> Option<u8> {
        self.input.as_bytes().get(self.at).copied()
    }

    fn expected(&self, what: &'static str) -> TextError {
        TextError::new(what, self.input.get(self.at..).unwrap_or_default())
    }
}

fn is_element_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn xml(json: &str) -> Result<String, TextError> {
        from_json("R", json.as_bytes()).map(|xml| String::from_utf8(xml).unwrap())
    }

    #[test]
    fn members_become_elements_and_items_become_runs() {
        let rows = [
            ("{}", "<R></R>"),
            (
                " {\"a\" : 1, \"b\":\"x <y>\" ,\"c\": true, \"d\":null,\"e\":-1.5e3}\n",
                "<R><a>1</a><b>x &lt;y&gt;</b><c>true</c><e>-1.5e3</e></R>",
            ),
            (
                r#"{"list":[1,"2",{"k":3},[4]],"empty":[],"o":{"p":{}}}"#,
                "<R><list>1</list><list>2</list><list><k>3</k></list><list>4</list><o><p></p></o></R>",
            ),
            (
                r#"{"s":"\"\\\/\b\f\n\r\t\u0041\ud83e\udd80\u20ac"}"#,
                "<R><s>&quot;\\/&#8;&#12;&#10;&#13;&#9;A\u{1f980}\u{20ac}</s></R>",
            ),
            (
                r#"{"no name":{"a":[1]},"":1,"1":2,"ok":3,"a><b":4}"#,
                "<R><ok>3</ok></R>",
            ),
            ("\u{feff}{\"a\":1}", "<R><a>1</a></R>"),
        ];
        for (json, expected) in rows {
            assert_eq!(xml(json).as_deref(), Ok(expected), "{json}");
        }
    }

    #[test]
    fn what_is_no_json_is_refused_where_it_stands() {
        let rows = [
            ("", "a JSON object"),
            ("[1]", "a JSON object"),
            ("\"a\"", "a JSON object"),
            ("{", "the name of a member"),
            ("{a:1}", "the name of a member"),
            (r#"{"a"}"#, "`:`"),
            (r#"{"a":}"#, "a JSON value"),
            (r#"{"a":nul}"#, "a JSON value"),
            (r#"{"a":01x}"#, "a JSON value"),
            (r#"{"a":infinity}"#, "a JSON value"),
            (r#"{"a":1 "b":2}"#, "`,` or the end of the list or object"),
            (r#"{"a":1,}"#, "another item after `,`"),
            (r#"{"a":[1,]}"#, "another item after `,`"),
            (r#"{"a":1}}"#, "the end of the JSON document"),
            (r#"{"a":"b"#, "the end of a string"),
            ("{\"a\":\"\n\"}", "a string without control characters"),
            (r#"{"a":"\x"}"#, "a known escape"),
            (r#"{"a":"\u12"}"#, "four hexadecimal digits"),
            (r#"{"a":"\u+123"}"#, "four hexadecimal digits"),
            (r#"{"a":"\ud800"}"#, "both halves of a character"),
            (r#"{"a":"\ud800\u0041"}"#, "both halves of a character"),
            (r#"{"a":"\udc00\udc00"}"#, "both halves of a character"),
            (r#"{"a":"\u0000"}"#, "JSON without NUL characters"),
        ];
        for (json, expected) in rows {
            assert_eq!(xml(json).unwrap_err().expected(), expected, "{json}");
        }
        assert_eq!(
            from_json("R", b"{\"a\":\"\xff\"}").unwrap_err().expected(),
            "JSON in UTF-8"
        );
    }

    #[test]
    fn hostile_documents_cost_little() {
        let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
        assert!(xml(&deep).unwrap_err().expected().starts_with("at most 60"));
        let name = "n".repeat(MAX_NAME);
        let wide = format!("{{\"{name}\":[{}1]}}", "1,".repeat(100_000));
        assert!(xml(&wide).unwrap_err().expected().starts_with("lists whose names"));
        let long = format!("{{\"{}\":1}}", "n".repeat(MAX_NAME + 1));
        assert_eq!(xml(&long).as_deref(), Ok("<R></R>"));
    }

    #[test]
    fn every_prefix_of_a_document_is_refused() {
        let json = r#"{"a":[{"b":"\u20ac\ud83e\udd80"},-1.5],"c":null,"d":"é"}"#;
        for end in 0..json.len() {
            assert!(from_json("R", &json.as_bytes()[..end]).is_err(), "{end}");
        }
        assert!(xml(json).is_ok());
    }
}
