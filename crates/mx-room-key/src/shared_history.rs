use mx_json::Value;

/// The names under which the flag is in use: the specification's, that of matrix-sdk-crypto, and that of the proposal.
pub(crate) const SPELLINGS: [&str; 3] =
    ["shared_history", "m.shared_history", "org.matrix.msc3061.shared_history"];

/// Whether a session may be shared with users who join later: at least one of the spellings says so, and none denies.
/// What is not a boolean says nothing.
pub(crate) fn shared_history(values: &[Option<Value<'_>>; SPELLINGS.len()]) -> bool {
    let says = |said: bool| values.iter().any(|value| matches!(value, Some(Value::Bool(is)) if *is == said));
    says(true) && !says(false)
}
