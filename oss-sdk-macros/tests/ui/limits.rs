use oss_sdk::ToXml;

#[derive(ToXml)]
struct Limits {
    #[oss(range(1, 10))]
    text: String,
    #[oss(length(1, 10))]
    number: i64,
    #[oss(max_items = 3)]
    single: String,
    #[oss(range(10, 1))]
    reversed: i64,
    #[oss(range(1))]
    half: i64,
    #[oss(length(-1, 10))]
    negative: String,
    #[oss(max_items = "3")]
    quoted: Vec<String>,
    #[oss(range(0, 5))]
    unsigned: u64,
    #[oss(format = "julian")]
    time: oss_sdk::Timestamp,
}

fn main() {}
