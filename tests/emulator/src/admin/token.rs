//! The token of the management listener.

use std::fmt;

use crate::error_start::StartError;
use crate::text;

/// Shortest token that may be chosen.
const SHORTEST: usize = 16;
/// Bytes of a drawn token.
const DRAWN: usize = 32;

pub(super) const NEEDED: &str =
    "an address that is not loopback needs a token of your own (`--admin-token`, `AdminOptions::token`)";

/// The secret that opens the management listener.
#[derive(Clone)]
pub(crate) struct Token(String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

impl Token {
    /// A token that the user chose.
    pub(super) fn given(text: &str) -> Result<Self, StartError> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.len() < SHORTEST || !is_plain {
            return Err(StartError::Admin(format!(
                "the token must be at least {SHORTEST} visible characters of ASCII, without blanks"
            )));
        }
        Ok(Self(text.to_owned()))
    }

    /// A token from the system's random source.
    pub(super) fn drawn() -> Result<Self, StartError> {
        let mut bytes = [0; DRAWN];
        getrandom::fill(&mut bytes)
            .map_err(|error| StartError::Admin(format!("no random token could be drawn: {error}")))?;
        Ok(Self(text::hex(&bytes)))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Compares in a time that does not tell how much was right, nor how long the token is.
    pub(super) fn is(&self, shown: &str) -> bool {
        text::same_secret(&digest(&self.0), &digest(shown))
    }
}

fn digest(text: &str) -> String {
    text::sha256_hex(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_plain_and_hidden() {
        for text in ["", "short", "with a blank inside it", "fünfzehn-zeichen-und-mehr"] {
            assert!(Token::given(text).is_err(), "{text}");
        }
        let token = Token::given("0123456789abcdef").unwrap();
        assert!(token.is("0123456789abcdef") && !token.is("0123456789abcdeF") && !token.is(""));
        assert_eq!(format!("{token:?}"), "Token(***)");
        assert_ne!(Token::drawn().unwrap().as_str(), Token::drawn().unwrap().as_str());
    }
}
