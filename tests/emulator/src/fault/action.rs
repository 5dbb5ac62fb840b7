//! What a fault does, and how it is written down.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::body;
use crate::error::ServiceError;
use crate::store::ContentStream;

/// What goes wrong. The text in front of each is how flags, files and the management listener write it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultAction {
    /// `status:503:ServiceBusy[:2]`. Answers with an error and does nothing else.
    Error {
        /// HTTP status.
        status: u16,
        /// Code of the error document.
        code: String,
        /// Seconds of a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// `delay:200ms`. Waits before the request is handled.
    Delay(Duration),
    /// `latency:200ms:50ms`. Waits before the request is handled, and up to `jitter` longer, as chance has it.
    Latency {
        /// The wait that every request has.
        base: Duration,
        /// The most that chance adds.
        jitter: Duration,
    },
    /// `throttle:65536`. Reads the request's body and sends the answer's at no more than that many bytes in a second.
    Throttle(u64),
    /// `stall`. Never answers; the connection stays open.
    Stall,
    /// `stall-body:4`. Sends that many bytes of the answer's body and then nothing more; the connection stays open.
    StallBody(u64),
    /// `reset-before`. Closes the connection at once; the request is not handled.
    ResetOnArrival,
    /// `reset-within:10`. Closes the connection when that many bytes of the request's body were read; nothing is stored.
    ResetDuringRequest(u64),
    /// `reset-after`. Handles the request and closes the connection without an answer.
    DropAnswer,
    /// `truncate:4`. Closes the connection after that many bytes of the answer's body.
    TruncateBody(u64),
    /// `shorten:4`. Answers with that many bytes of the body and a `Content-Length` that agrees: only a checksum tells.
    ShortenBody(u64),
    /// `corrupt:4`. Inverts the byte at that offset of the answer's body.
    CorruptByte(u64),
    /// `wrong-crc`. Sends a wrong `x-oss-hash-crc64ecma`.
    WrongCrc,
    /// `clock:-3600`. Judges and answers the request as if the clock were that many seconds ahead (negative: behind).
    ClockOffset(i64),
}

impl FaultAction {
    /// The word that the action is written with: few, so that they can be counted.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            FaultAction::Error { .. } => "status",
            FaultAction::Delay(_) => "delay",
            FaultAction::Latency { .. } => "latency",
            FaultAction::Throttle(_) => "throttle",
            FaultAction::Stall => "stall",
            FaultAction::StallBody(_) => "stall-body",
            FaultAction::ResetOnArrival => "reset-before",
            FaultAction::ResetDuringRequest(_) => "reset-within",
            FaultAction::DropAnswer => "reset-after",
            FaultAction::TruncateBody(_) => "truncate",
            FaultAction::ShortenBody(_) => "shorten",
            FaultAction::CorruptByte(_) => "corrupt",
            FaultAction::WrongCrc => "wrong-crc",
            FaultAction::ClockOffset(_) => "clock",
        }
    }

    /// Bytes of the request's body after which its connection breaks.
    pub(crate) fn break_after(&self) -> Option<u64> {
        match self {
            FaultAction::ResetDuringRequest(limit) => Some(*limit),
            _ => None,
        }
    }

    /// Most bytes of a body in a second.
    pub(crate) fn rate(&self) -> Option<u64> {
        match self {
            FaultAction::Throttle(rate) => Some(*rate),
            _ => None,
        }
    }

    /// The error that is answered instead of handling the request.
    pub(crate) fn error(&self) -> Option<ServiceError> {
        let FaultAction::Error {
            status,
            code,
            retry_after,
        } = self
        else {
            return None;
        };
        let error = ServiceError::new(*status, code.clone(), "A fault was asked for.");
        Some(match retry_after {
            Some(seconds) => error.header("retry-after", seconds.to_string()),
            None => error,
        })
    }

    /// The length that an answer's body of this length pretends to have.
    pub(crate) fn length(&self, length: u64) -> u64 {
        match self {
            FaultAction::ShortenBody(limit) => length.min(*limit),
            _ => length,
        }
    }

    /// Whether the answer's body is changed.
    pub(crate) fn spoils(&self) -> bool {
        matches!(
            self,
            FaultAction::TruncateBody(_)
                | FaultAction::ShortenBody(_)
                | FaultAction::CorruptByte(_)
                | FaultAction::StallBody(_)
                | FaultAction::Throttle(_)
        )
    }

    /// What the fault makes of an answer's body.
    pub(crate) fn spoil(&self, stream: ContentStream) -> ContentStream {
        match self {
            FaultAction::TruncateBody(limit) => body::truncate(stream, *limit),
            FaultAction::ShortenBody(limit) => body::shorten(stream, *limit),
            FaultAction::CorruptByte(offset) => body::corrupt(stream, *offset),
            FaultAction::StallBody(limit) => body::stall(stream, *limit),
            FaultAction::Throttle(rate) => body::throttle(stream, *rate),
            _ => stream,
        }
    }
}

impl fmt::Display for FaultAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            FaultAction::Error {
                status,
                code,
                retry_after,
            } => {
                write!(f, ":{status}:{code}")?;
                retry_after.map_or(Ok(()), |seconds| write!(f, ":{seconds}"))
            }
            FaultAction::Delay(wait) => write!(f, ":{}", Span(*wait)),
            FaultAction::Latency { base, jitter } => write!(f, ":{}:{}", Span(*base), Span(*jitter)),
            FaultAction::Throttle(count)
            | FaultAction::StallBody(count)
            | FaultAction::ResetDuringRequest(count)
            | FaultAction::TruncateBody(count)
            | FaultAction::ShortenBody(count)
            | FaultAction::CorruptByte(count) => write!(f, ":{count}"),
            FaultAction::ClockOffset(seconds) => write!(f, ":{seconds}"),
            FaultAction::Stall | FaultAction::ResetOnArrival | FaultAction::DropAnswer | FaultAction::WrongCrc => {
                Ok(())
            }
        }
    }
}

impl FromStr for FaultAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default().trim();
        let arguments: Vec<&str> = parts.map(str::trim).collect();
        let wrong = |form: &str| format!("`{text}` is not of the form `{form}`");
        let count = |form: &str| match arguments.as_slice() {
            [count] => count.parse::<u64>().map_err(|_| wrong(form)),
            _ => Err(wrong(form)),
        };
        let bare = |action: FaultAction| match arguments.as_slice() {
            [] => Ok(action),
            _ => Err(wrong(name)),
        };
        match name {
            "status" => {
                let form = "status:503:ServiceBusy[:RETRY-AFTER-SECONDS]";
                let (status, code, retry_after) = match arguments.as_slice() {
                    [status, code] => (status, code, None),
                    [status, code, seconds] => (status, code, Some(seconds.parse().map_err(|_| wrong(form))?)),
                    _ => return Err(wrong(form)),
                };
                let status = status.parse().ok().filter(|status| (300..=599).contains(status));
                Ok(FaultAction::Error {
                    status: status.ok_or_else(|| wrong(form))?,
                    code: (*code).to_owned(),
                    retry_after,
                })
            }
            "delay" | "latency" => match arguments.as_slice() {
                [wait] => Ok(FaultAction::Delay(wait.parse::<Span>()?.0)),
                [base, jitter] => Ok(FaultAction::Latency {
                    base: base.parse::<Span>()?.0,
                    jitter: jitter.parse::<Span>()?.0,
                }),
                _ => Err(wrong("latency:200ms[:JITTER]")),
            },
            "throttle" => match count("throttle:BYTES-PER-SECOND")? {
                0 => Err("a throttle of nothing is a `stall`".to_owned()),
                rate => Ok(FaultAction::Throttle(rate)),
            },
            "stall" => bare(FaultAction::Stall),
            "stall-body" => Ok(FaultAction::StallBody(count("stall-body:BYTES")?)),
            "reset-before" => bare(FaultAction::ResetOnArrival),
            "reset-within" => Ok(FaultAction::ResetDuringRequest(count("reset-within:BYTES")?)),
            "reset-after" => bare(FaultAction::DropAnswer),
            "truncate" => Ok(FaultAction::TruncateBody(count("truncate:BYTES")?)),
            "shorten" => Ok(FaultAction::ShortenBody(count("shorten:BYTES")?)),
            "corrupt" => Ok(FaultAction::CorruptByte(count("corrupt:OFFSET")?)),
            "wrong-crc" => bare(FaultAction::WrongCrc),
            "clock" => match arguments.as_slice() {
                [seconds] => Ok(FaultAction::ClockOffset(
                    seconds.parse().map_err(|_| wrong("clock:SECONDS"))?,
                )),
                _ => Err(wrong("clock:SECONDS")),
            },
            _ => Err(format!("there is no fault `{name}`")),
        }
    }
}

impl Serialize for FaultAction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for FaultAction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A duration with its unit: `200ms`, `3s`, `2m`.
struct Span(Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unit = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(unit);
        let number: u32 = number
            .parse()
            .map_err(|_| format!("`{text}` is no duration such as 200ms"))?;
        let factor = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            _ => return Err(format!("`{text}` needs a unit: ms, s or m")),
        };
        Ok(Self(factor * number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_reads_what_it_writes() {
        for text in [
            "status:503:ServiceBusy",
            "status:503:ServiceBusy:2",
            "delay:200ms",
            "latency:200ms:50ms",
            "throttle:65536",
            "stall",
            "stall-body:4",
            "reset-before",
            "reset-within:10",
            "reset-after",
            "truncate:4",
            "shorten:4",
            "corrupt:4",
            "wrong-crc",
            "clock:-3600",
        ] {
            assert_eq!(text.parse::<FaultAction>().unwrap().to_string(), text);
        }
        assert_eq!("latency:2s".parse(), Ok(FaultAction::Delay(Duration::from_secs(2))));
    }

    #[test]
    fn wrong_actions_are_refused() {
        for text in [
            "",
            "status",
            "status:200:Fine",
            "status:x:Busy",
            "latency:5",
            "latency:1h",
            "throttle:0",
            "stall:1",
            "truncate",
            "truncate:-1",
            "clock:soon",
        ] {
            assert!(text.parse::<FaultAction>().is_err(), "{text}");
        }
    }
}
