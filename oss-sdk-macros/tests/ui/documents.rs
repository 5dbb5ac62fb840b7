use oss_sdk::{FromXml, ToXml};

#[derive(ToXml)]
struct Collisions {
    #[oss(wire = "Name")]
    first: String,
    #[oss(wire = "Name")]
    second: String,
    #[oss(wire = "Name>Inner")]
    third: String,
    #[oss(wire = "not a name")]
    fourth: String,
    optional_list: Option<Vec<String>>,
    nested: Vec<Vec<String>>,
    map: std::collections::BTreeMap<String, String>,
}

#[derive(Default, FromXml)]
struct Twice {
    #[oss(wire = "A", wire = "B")]
    a: String,
    #[oss(callback)]
    answer: String,
}

fn main() {}
