//! Objects, with members left out.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::canonicalize::Canonicalizer;
use crate::error::CanonicalizeError;
use crate::limits::Limits;
use crate::member::Member;
use crate::string::{RawKey, push_string, slice};

/// An object in canonical form, where its members are, and members that were left out of it.
///
/// This is what signing needs: the text that is signed, which lacks `signatures` and `unsigned`, and these two as they
/// were received. It comes from one pass over the text.
///
/// ```
/// use mx_canonical_json::{CanonicalObject, Limits};
///
/// let text = r#"{"unsigned": {"age": 1.5}, "b": 2, "a": [1, 2]}"#;
/// let object = CanonicalObject::parse(text, &["signatures", "unsigned"], &Limits::DEFAULT)?;
/// assert_eq!(object.as_str(), r#"{"a":[1,2],"b":2}"#);
/// assert_eq!(object.member("a"), Some("[1,2]"));
/// assert_eq!(object.left_out("unsigned"), Some(r#"{"age": 1.5}"#));
/// assert_eq!(object.left_out("signatures"), None);
/// # Ok::<(), mx_canonical_json::CanonicalizeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct CanonicalObject<'t> {
    text: String,
    members: Vec<Span>,
    left_out: Vec<(String, &'t str)>,
}

/// Where a member is in the canonical text: `"key":value`.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    value: usize,
    end: usize,
}

impl Default for CanonicalObject<'_> {
    /// The object without members.
    fn default() -> Self {
        Self { text: "{}".into(), members: Vec::new(), left_out: Vec::new() }
    }
}

impl<'t> CanonicalObject<'t> {
    /// Reads an object and leaves its members named in `leave_out` out of the canonical text.
    ///
    /// Only members of the object itself are left out, not those of objects in it. What is left out must be JSON without
    /// duplicate keys, but may hold any number, for it is not canonicalised.
    ///
    /// # Errors
    ///
    /// As for [`canonicalize`](crate::canonicalize), and when the value is not an object.
    pub fn parse(text: &'t str, leave_out: &[&str], limits: &Limits) -> Result<Self, CanonicalizeError> {
        let Canonicalizer { out: text, members, left_out, .. } = Canonicalizer::run(text, leave_out, limits)?;
        if !text.starts_with('{') {
            return Err(CanonicalizeError::NotAnObject);
        }
        let members = members.into_iter().map(|Member { start, value, end, .. }| Span { start, value, end });
        let left_out = left_out.into_iter().map(|(name, text)| (name.into(), text));
        Ok(Self { text, members: members.collect(), left_out: left_out.collect() })
    }

    /// The canonical text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The canonical text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// The canonical text of a member's value. `name` is the key itself, without escapes.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&str> {
        let index = self.members.binary_search_by(|span| self.order_to(*span, name)).ok()?;
        self.members.get(index).map(|span| slice(&self.text, span.value, span.end))
    }

    /// The value of a member that was left out, as it stands in the text that was parsed.
    #[must_use]
    pub fn left_out(&self, name: &str) -> Option<&'t str> {
        self.left_out.iter().find(|(found, _)| found == name).map(|(_, text)| *text)
    }

    /// The canonical text with more members at their places in the order of keys, or in the place of a member that
    /// has that key. Each name must be given once. The values are taken as they are: they must be JSON, and canonical
    /// if the result is to be.
    #[must_use]
    pub fn with_members(&self, members: &[(&str, &str)]) -> String {
        let mut more = Vec::from(members);
        more.sort_by_key(|(name, _)| *name);
        let mut more = more.into_iter().peekable();

        let added: usize = members.iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        let mut out = String::with_capacity(self.text.len() + added);
        let mut separator = '{';
        let push_more = |out: &mut String, separator: &mut char, name: &str, value: &str| {
            out.push(core::mem::replace(separator, ','));
            push_string(out, name);
            out.push(':');
            out.push_str(value);
        };
        for span in &self.members {
            let mut replaced = false;
            while let Some((name, value)) = more.next_if(|(name, _)| self.order_to(*span, name).is_ge()) {
                replaced |= self.order_to(*span, name).is_eq();
                push_more(&mut out, &mut separator, name, value);
            }
            if !replaced {
                out.push(core::mem::replace(&mut separator, ','));
                out.push_str(slice(&self.text, span.start, span.end));
            }
        }
        for (name, value) in more {
            push_more(&mut out, &mut separator, name, value);
        }
        if separator == '{' {
            out.push('{');
        }
        out.push('}');
        out
    }

    fn order_to(&self, span: Span, name: &str) -> Ordering {
        let text = slice(&self.text, span.start + 1, span.value - 2);
        RawKey { text, escaped: text.contains('\\') }.order_to(name)
    }
}
