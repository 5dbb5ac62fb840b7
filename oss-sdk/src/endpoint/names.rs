//! Rules of names that stand in hosts.

/// The rule that a region breaks.
pub(crate) fn region_rule(region: &str) -> Option<String> {
    let is_valid = region
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if region.is_empty() {
        Some("must not be empty".to_owned())
    } else if !is_valid {
        let shown: String = region.chars().take(64).flat_map(char::escape_debug).collect();
        Some(format!("must consist of `a-z`, `0-9` and `-`, it is `{shown}`"))
    } else if region.len() > 63 || region.starts_with('-') || region.ends_with('-') {
        Some("must be the name of a region, such as `cn-hangzhou`".to_owned())
    } else {
        None
    }
}

/// The rule that an account's id breaks.
pub(crate) fn account_id_rule(account_id: &str) -> Option<&'static str> {
    if account_id.is_empty() {
        Some("must not be empty")
    } else if account_id.len() > 32 || !account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        Some("must consist of digits")
    } else {
        None
    }
}

/// Whether a text is a name of labels, as DNS has them. An underscore is no letter of DNS but of some private domains.
pub(super) fn is_host_name(host: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or_default();
    // A name that ends in a number is an address that is written wrongly: `127.0.1`, `1.2.3.256`.
    host.len() <= 253 && host.split('.').all(is_label) && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Account and name of a table bucket, from its ARN, or the rule that the ARN breaks. The account is that of the
/// bucket's owner, who need not be the caller.
pub(crate) fn table_bucket(arn: &str) -> Result<(&str, &str), &'static str> {
    let form = "must be an ARN such as `acs:osstables:cn-hangzhou:1234567890:bucket/name`";
    let mut parts = arn.strip_prefix("acs:osstables:").ok_or(form)?.splitn(3, ':');
    let (Some(region), Some(account), Some(resource)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(form);
    };
    if region_rule(region).is_some() {
        return Err("must be an ARN whose fourth part is a region");
    }
    if account_id_rule(account).is_some() {
        return Err("must be an ARN whose fifth part is the id of an account, in digits");
    }
    let name = resource
        .strip_prefix("bucket/")
        .ok_or("must be the ARN of a table bucket, which ends in `:bucket/` and its name")?;
    let is_name = (3..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-');
    if !is_name {
        return Err("must be an ARN that ends in the name of a bucket: 3 to 63 of `a-z`, `0-9` and inner `-`");
    }
    Ok((account, name))
}
